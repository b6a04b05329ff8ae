"""What `avsieve doctor` looks at before a run: software, device, models, source, lists, disk, time.

Every module here imports what it needs inside its functions: a package that is missing is a finding, not a crash.
Nothing is written.
"""
