"""Where a server is, who asks, and with which password: a URL, an option file of MySQL, the environment.

No password stands on a command line, and none is ever repeated: not in a message, a repr or a file.
"""

import os
import ssl
from collections.abc import Mapping
from configparser import Error as OptionFileError
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from ddbmig.model.errors import UsageError

EXPECTED = "mysql://user@host:3306/database"
SAFE_WAYS = (
    "give it in the environment variable MYSQL_PWD (ddbmig collect also takes --defaults-file and --password-stdin)"
)
_TLS = ("auto", "preferred", "required", "disabled")
_OPTIONS = frozenset({"tls", "ca", "socket"})
_OTHER_HOST = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH (x509_vfy.h)."""
_EXPIRED = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED."""


@dataclass(frozen=True)
class ServerAddress:
    """Where a server is and who asks; `database` is empty for all databases. `ca` is a file of certificates to verify
    the server's with, `socket` a path in place of host and port.

    `tls` is required, preferred (used where the server offers it), disabled, or auto: required from another machine,
    preferred on this one, where nothing leaves it.
    """

    host: str
    port: int
    user: str
    database: str
    tls: str = "auto"
    ca: str | None = None
    socket: str | None = None

    @property
    def must_encrypt(self) -> bool:
        """Whether nothing may be sent in the clear."""
        return self.tls == "required" or self.ca is not None or (self.tls == "auto" and not self.is_local)

    @property
    def is_local(self) -> bool:
        """Whether the server is reached by a socket or the loopback address."""
        if self.socket or self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return self.socket or f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Login:
    """An address and the password for it."""

    address: ServerAddress
    password: str = field(repr=False)


def login(
    url: str, *, defaults_file: Path | None = None, password: str | None = None, ca: Path | None = None,
    no_tls: bool = False, group: str | None = None,
) -> Login:  # fmt: skip
    """What a URL and an option file say together; `group` is a section that goes before [client].

    `password` is one that was given otherwise; else it is that of the
    option file, else MYSQL_PWD. Raises UsageError for a URL or file that is none."""
    if no_tls and ca:
        raise UsageError("--no-tls and --tls-ca contradict each other", hint="leave one of them out")
    if group is not None and defaults_file is None:
        raise UsageError("--login-path names a group of an option file", hint="name the file with --defaults-file")
    client = _client_options(defaults_file, group) if defaults_file else {}
    address = parse_url(url, client)
    tls = "disabled" if no_tls else address.tls
    known = {**vars(address), "tls": tls, "ca": str(ca) if ca else None if no_tls else address.ca}
    if password is None:
        password = client.get("password", os.environ.get("MYSQL_PWD", ""))
    return Login(ServerAddress(**known), password)


def parse_url(url: str, client: Mapping[str, str] | None = None) -> ServerAddress:
    """`mysql://user@host:port/database?tls=required&ca=FILE&socket=PATH`; what it leaves out is taken from `client`,
    the options of a [client] section.

    Raises UsageError; a password in it is refused, since URLs end up in shell histories and process lists.
    """
    known = client or {}
    try:
        parts = urlsplit(url)
        port = parts.port or int(known.get("port", 3306))
    except ValueError as error:
        raise UsageError("not the URL of a server", expected=EXPECTED) from error
    if parts.password is not None:
        raise UsageError("a password in the URL is refused", expected=EXPECTED, hint=SAFE_WAYS)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    tls = options.get("tls", "auto")
    socket = options.get("socket") or (known.get("socket") if not parts.hostname else None)
    host = parts.hostname or known.get("host") or ("localhost" if socket else "")
    user = unquote(parts.username or "") or known.get("user", "")
    if parts.scheme not in ("mysql", "mariadb") or not host or not user or parts.fragment:
        raise UsageError("not the URL of a server", expected=EXPECTED)
    if tls not in _TLS or options.keys() - _OPTIONS:
        raise UsageError(
            "unknown option in the URL", expected="tls=preferred|required|disabled, ca=FILE or socket=PATH"
        )
    database = unquote(parts.path.strip("/"))
    return ServerAddress(host, port, user, database, tls, options.get("ca", known.get("ssl-ca")), socket)


def _client_options(path: Path, group: str | None) -> Mapping[str, str]:
    """[client] of an option file as mysql reads it, and over it the options of `group`; nothing of
    the file is repeated in an error."""
    from pymysql.optionfile import Parser

    parser = Parser(strict=False)
    try:
        parser.read_string(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot be read ({error.strerror})", file=str(path), hint="check the path") from error
    except (OptionFileError, UnicodeDecodeError):
        hint = "write [client] and lines like user=reader"
        raise UsageError("is no option file of MySQL", file=str(path), hint=hint) from None
    if not parser.has_section(group or "client"):
        hint = "add one with user, password and host"
        raise UsageError(f"has no [{group or 'client'}] section", file=str(path), hint=hint)
    sections = [name for name in ("client", group) if name is not None and parser.has_section(name)]
    return {
        name: parser.get(section, name)
        for section in sections
        for name, value in parser.items(section)
        if value is not None
    }


def tls_context(address: ServerAddress) -> ssl.SSLContext:
    """Verified against `ca` where one is given; else only encrypted, as the mysql client does by default.

    Raises UsageError for a file of certificates that is none.
    """
    try:
        context = ssl.create_default_context(cafile=address.ca)
    except OSError as error:
        raise UsageError("no certificates can be read", file=address.ca, hint="name a PEM file") from error
    if address.ca is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def tls_refusal(error: BaseException) -> tuple[str, str] | None:
    """What is wrong with TLS, and the way out, where that is why a connection failed; None where it is not.

    pymysql hides it in an error 2003 as its `original_exception`, as if nothing had answered.
    """
    cause = getattr(error, "original_exception", error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        if cause.verify_code in _OTHER_HOST:
            return "its certificate is for another host name", "write the URL with a host that the certificate names"
        if cause.verify_code == _EXPIRED:
            return "its certificate has expired", "renew it at the server"
        return "its certificate is not signed by the CA that you gave", "name the CA of this server with --tls-ca"
    if isinstance(cause, ssl.SSLError):
        return "the TLS handshake failed", "compare the server's tls_version with TLS 1.2, the least that is taken"
    return None
