"""A script that the servers run."""

from __future__ import annotations

from libglide.exceptions import RequestError


class Script:
    """A script, to be run by ``Client.script`` or ``Session.script``.

    The servers know it by its hash. One that does not is given the source with the call, so
    nothing has to be loaded beforehand, and ``SCRIPT FLUSH``, restarts and failovers do no harm.

    Args:
        source: Text stands for its UTF-8 bytes.

    Raises:
        RequestError: The text has no UTF-8 form.
        TypeError: The source is neither bytes nor str.

    Attributes:
        source: What it does, in the language of the server's engine, as Lua.
        hash: SHA-1 of the source in hexadecimal digits.
    """

    __slots__ = ("hash", "source")

    def __init__(self, source: bytes | str) -> None:
        if not isinstance(source, (bytes, str)):
            raise TypeError(f"the source is a {type(source).__name__}, neither bytes nor str")
        try:
            self.source = source.encode() if isinstance(source, str) else source
        except UnicodeEncodeError as fault:
            raise RequestError(f"source is not Unicode text: {fault}; give bytes") from None
        import hashlib  # which is slow to come, and most programs have no script

        self.hash = hashlib.sha1(self.source, usedforsecurity=False).hexdigest()

    def __repr__(self) -> str:
        return f"<libglide.Script {self.hash}>"
