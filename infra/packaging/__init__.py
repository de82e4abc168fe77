"""From the name of a handler to a folder or zip that runs it: its code, what that imports, and its dependencies.

    entry + modules ─closure─▶ first-party files ─┐
                                                  ├─bundle─▶ Bundle(digest, size) ─▶ folder | zip
    profile ─uv─▶ dependencies, pruned ───────────┘

Nothing is imported to find out what it imports; nothing here knows CDK. The same sources, lock file and profile give
the same bytes, on every machine.
"""
