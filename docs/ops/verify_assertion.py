#!/usr/bin/env python3
"""Verifies an Octroi-Assertion as a service behind octroi does: signature, type, issuer, audience, time.

Python 3.9 or newer and nothing to install: the `openssl` command checks the signature. A service would rather use
the JOSE library of its own language, and make it check the same things in the same order.

    curl -s https://paie.example.com/.octroi/jwks.json > jwks.json
    python3 verify_assertion.py --jwks jwks.json --issuer https://login.example.com --audience paie < assertion

Prints the claims and ends with 0, or says why not and ends with 1. The audience is the route's name.
"""

import argparse
import base64
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Everything up to the point of a P-256 key in DER (RFC 5480, section 2).
P256_KEY = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
LIFE_SECONDS_MAX = 60
CLOCK_SKEW_SECONDS = 5


class Refused(Exception):
    """Why an assertion is not to be believed."""


def verify(token, keys, issuer, audience, now):
    """The claims of a token that is true, for us, and not over. `keys` is the list in the key document."""
    parts = token.split(".")
    if len(parts) != 3:
        raise Refused("not three parts")
    header = document(parts[0])
    # The one algorithm and type that octroi signs with; what the token would like instead is of no interest.
    if header.get("alg") != "ES256" or header.get("typ") != "octroi+jwt" or "crit" in header:
        raise Refused("another algorithm or type")
    fitting = [key for key in keys if key.get("kid") == header.get("kid")]
    if len(fitting) != 1:
        raise Refused("no published key of this name")
    if not is_signed(".".join(parts[:2]).encode(), decoded(parts[2]), fitting[0]):
        raise Refused("the signature does not fit")
    claims = document(parts[1])
    if claims.get("iss") != issuer:
        raise Refused("another gateway's")
    if claims.get("aud") != audience:
        raise Refused("for another service")
    issued, ends = claims.get("iat"), claims.get("exp")
    if type(issued) is not int or type(ends) is not int or ends - issued > LIFE_SECONDS_MAX:
        raise Refused("no life that octroi gives")
    if now >= ends:
        raise Refused("it is over")
    if issued > now + CLOCK_SKEW_SECONDS:
        raise Refused("not issued yet")
    return claims


def is_signed(data, signature, key):
    """Whether this key made this signature (RFC 7518, section 3.4)."""
    if (key.get("kty"), key.get("crv"), key.get("alg")) != ("EC", "P-256", "ES256"):
        raise Refused("the key is for something else")
    x, y = decoded(key["x"]), decoded(key["y"])
    if (len(x), len(y), len(signature)) != (32, 32, 64):
        raise Refused("a key or signature of another length")
    pem = base64.encodebytes(P256_KEY + b"\x04" + x + y).decode()
    pem = f"-----BEGIN PUBLIC KEY-----\n{pem}-----END PUBLIC KEY-----\n"
    numbers = b"".join(der_number(half) for half in (signature[:32], signature[32:]))
    with tempfile.TemporaryDirectory() as place:
        key_file, signature_file = Path(place, "key.pem"), Path(place, "signature")
        key_file.write_text(pem)
        signature_file.write_bytes(b"\x30" + bytes([len(numbers)]) + numbers)
        command = ["openssl", "dgst", "-sha256", "-verify", key_file, "-signature", signature_file]
        return subprocess.run(command, input=data, capture_output=True, check=False).returncode == 0


def der_number(half):
    digits = half.lstrip(b"\x00") or b"\x00"
    if digits[0] & 0x80:
        digits = b"\x00" + digits
    return b"\x02" + bytes([len(digits)]) + digits


def document(part):
    def once(pairs):
        if len(dict(pairs)) != len(pairs):
            raise Refused("a name stands twice")
        return dict(pairs)

    try:
        found = json.loads(decoded(part), object_pairs_hook=once)
    except ValueError:
        raise Refused("not JSON") from None
    if not isinstance(found, dict):
        raise Refused("not an object")
    return found


def decoded(text):
    """Base64url without padding, and nothing but that (RFC 7515, section 2)."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text) or len(text) % 4 == 1:
        raise Refused("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jwks", required=True, help="the key document, from /.octroi/jwks.json")
    parser.add_argument("--issuer", required=True, help="the portal's origin")
    parser.add_argument("--audience", required=True, help="the route's name")
    parser.add_argument("--at", type=int, default=int(time.time()), help="as if at this time, in seconds since 1970")
    asked = parser.parse_args()
    keys = json.loads(Path(asked.jwks).read_text())["keys"]
    try:
        claims = verify(sys.stdin.read().strip(), keys, asked.issuer, asked.audience, asked.at)
    except Refused as why:
        print(f"refused: {why}", file=sys.stderr)
        return 1
    print(json.dumps(claims))
    return 0


if __name__ == "__main__":
    sys.exit(main())
