"""Whether this user may use a device file, and what to type if not."""

import grp
import os
import pwd
import stat
from pathlib import Path

RULE = "give it to a group by a udev rule: docs/hardware.md, Permissions, has one"


def usable(path: Path) -> bool:
    """Whether it can be read and written."""
    return os.access(path, os.R_OK | os.W_OK, effective_ids=True)


def remedy(path: Path) -> str:
    """What makes it usable for this user: its group where it has one, else a rule."""
    found = path.stat()
    if found.st_gid == 0 or not found.st_mode & stat.S_IWGRP:
        return RULE
    try:
        group = grp.getgrgid(found.st_gid)
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        # In a container neither need have a name.
        return f"give this process the group {found.st_gid}: docker run --group-add {found.st_gid}"
    if user in group.gr_mem:
        return f"log in again: {user} is in the group {group.gr_name}, but was not when this session began"
    return f"sudo usermod -aG {group.gr_name} {user}, then log in again"
