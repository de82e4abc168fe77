"""From the name of a handler to a folder or zip that runs it: its code, what that imports, and its dependencies.

    entry + modules ─closure─▶ first-party files ─┐
                                                  ├─bundle─▶ Bundle(digest, size) ─▶ folder | zip
    profile ─uv─▶ dependencies, pruned ───────────┤
                  a Python of its version ─▶ bytecode of all

Nothing is imported to find out what it imports; nothing here knows CDK. The same sources, lock file, profile and
Python that compiles give the same bytes, on every machine.
"""
