"""Child processes that must not outlive us: ffmpeg of a live stream, and everything `footlight up` starts."""

import shutil


def ends_with_us(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command, wrapped so that the kernel kills it when its parent dies.

    `setpriv --pdeathsig` comes with every Debian (util-linux); without it the command is returned as it is.
    """
    if shutil.which("setpriv") is None:
        return command
    if command[:2] == ("unshare", "--user"):  # entering a user namespace clears the death signal: set it inside
        return (*command[:2], "setpriv", "--pdeathsig", "KILL", *command[2:])
    return ("setpriv", "--pdeathsig", "KILL", *command)
