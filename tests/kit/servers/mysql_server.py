"""A server that speaks as much MySQL as a login needs, asks for the password as it likes, and keeps what it gets."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pymysql.constants import CLIENT

from kit.network.tcp import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SALT = b"s" * 20
ERROR = b"\xff" + struct.pack("<H", 1045) + b"#28000no"
FULL_LOGIN = b"\1\4"


def certificate(folder: Path, *names: str) -> Path:
    """A file with a certificate for these names and addresses, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "db")]), datetime.now(UTC)
    alternatives: list[x509.GeneralName] = []
    for name in names:
        address = name.replace(".", "").isdigit()
        alternatives.append(x509.IPAddress(ipaddress.ip_address(name)) if address else x509.DNSName(name))
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    signed = builder.sign(key, hashes.SHA256())
    file = folder / "server.pem"
    unlocked = serialization.NoEncryption()
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file.write_bytes(key.private_bytes(pem, form, unlocked) + signed.public_bytes(pem))
    return file


@contextlib.contextmanager
def asking_server(method: str, *, switches: bool, tls: Path | None) -> Iterator[tuple[int, list[bytes]]]:
    """Serve logins by a method, named in the greeting or by a switch; yields the port and the packets that came."""
    packets: list[bytes] = []
    context = None
    if tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tls)

    def serve(connection: socket.socket) -> None:
        connection.settimeout(5)
        _send(connection, 0, _greeting("mysql_native_password" if switches else method, bool(context)))
        if not context:
            log_in(connection)
            return
        packets.append(_receive(connection)[1])
        with context.wrap_socket(connection, server_side=True) as secured:
            log_in(secured)

    def log_in(connection: socket.socket) -> None:
        number, packet = _receive(connection)
        packets.append(packet)
        if switches:
            _send(connection, number + 1, b"\xfe" + method.encode() + b"\0" + SALT + b"\0")
            number, packet = _receive(connection)
            packets.append(packet)
        if method == "caching_sha2_password":
            _send(connection, number + 1, FULL_LOGIN)
            number, packet = _receive(connection)
            packets.append(packet)
        _send(connection, number + 1, ERROR)

    with serving(serve) as port:
        yield port, packets


def _greeting(method: str, tls: bool) -> bytes:
    abilities = CLIENT.CAPABILITIES | CLIENT.PLUGIN_AUTH | CLIENT.CONNECT_WITH_DB | (CLIENT.SSL if tls else 0)
    low, high = abilities & 0xFFFF, abilities >> 16
    head = b"\x0a8.0.36\0" + struct.pack("<I", 1) + SALT[:8] + b"\0"
    middle = struct.pack("<HBHHB", low, 45, 2, high, len(SALT) + 1) + bytes(10)
    return head + middle + SALT[8:] + b"\0" + method.encode() + b"\0"


def _send(connection: socket.socket, number: int, payload: bytes) -> None:
    connection.sendall(struct.pack("<I", len(payload))[:3] + bytes([number]) + payload)


def _receive(connection: socket.socket) -> tuple[int, bytes]:
    head = _exactly(connection, 4)
    return head[3], _exactly(connection, int.from_bytes(head[:3], "little"))


def _exactly(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data
