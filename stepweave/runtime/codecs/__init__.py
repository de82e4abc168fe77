"""Values ↔ JSON text and files.

Every value becomes JSON text (:mod:`.text`). Members that are no JSON, such as frames, arrays, models and files, become
objects of their own (*parts*), written by the codec of their library (:mod:`.registry`), and the text refers to them.
"""
