"""Who signed a release: checked offline, by the verifier in the release and by openssl."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from annotation.datasets.exporters.folder import write_release
from annotation.datasets.signing import open_signer
from annotation.datasets.verify import main, verify
from tests.unit.datasets.forging import cover_up
from tests.unit.datasets.release_case import frozen_release, scan_voxels
from voxloop.kernel.errors import Conflict
from voxloop.storage.objects import sha256_of

PEM = serialization.Encoding.PEM
PUBLIC = serialization.PublicFormat.SubjectPublicKeyInfo


def save_private(path: Path, key: Any) -> Path:
    path.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return path


def save_public(path: Path, key: Any) -> Path:
    path.write_bytes(key.public_key().public_bytes(PEM, PUBLIC))
    return path


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def public(key: Ed25519PrivateKey, tmp_path: Path) -> Path:
    return save_public(tmp_path / "public.pem", key)


@pytest.fixture
def signed(key: Ed25519PrivateKey, tmp_path: Path, settings: Any) -> Path:
    settings.SIGNING_KEY = str(save_private(tmp_path / "private.pem", key))
    return written(tmp_path / "release")


def written(folder: Path) -> Path:
    folder.mkdir()
    voxels = scan_voxels(1, (12, 44, 40))
    frozen = frozen_release({"VX-A-0001": voxels}, ["findings"])
    write_release(folder, frozen, lambda scan: voxels, lambda percent, said: None, [], open_signer())
    return folder


def codes(folder: Path, key: Path | None = None) -> set[str]:
    return {fault.code for fault in verify(folder, key=key).faults}


def test_a_signed_release_names_its_signer(signed: Path, public: Path, key: Ed25519PrivateKey) -> None:
    der = key.public_key().public_bytes(serialization.Encoding.DER, PUBLIC)
    for trusted in (None, public):
        verdict = verify(signed, key=trusted)
        assert (verdict.faults, verdict.signed_by) == ([], hashlib.sha256(der).hexdigest())


def test_openssl_agrees(signed: Path, public: Path) -> None:
    arguments = ["-rawin", "-in", "SHA256SUMS", "-sigfile", "SHA256SUMS.sig", "-pubin", "-inkey", str(public)]
    subprocess.run(["openssl", "pkeyutl", "-verify", *arguments], cwd=signed, check=True, capture_output=True)


def test_the_verifier_in_the_release_checks_it_alone(signed: Path, public: Path) -> None:
    command = [sys.executable, "-I", "verify.py", "--key", str(public)]
    ran = subprocess.run(command, cwd=signed, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout[:7]) == (0, "Proven:"), ran.stdout + ran.stderr
    assert f"key      {verify(signed).signed_by}" in ran.stdout


def test_what_was_made_again_as_a_whole_is_found(signed: Path, public: Path) -> None:
    (signed / "README.md").write_text("another")
    cover_up(signed, "README.md")
    assert codes(signed) == codes(signed, public) == {"bad_signature"}


def test_a_signature_by_another_is_found(signed: Path, public: Path, tmp_path: Path) -> None:
    other = Ed25519PrivateKey.generate()
    (signed / "SHA256SUMS.sig").write_bytes(other.sign((signed / "SHA256SUMS").read_bytes()))
    assert codes(signed) == {"bad_signature"}
    save_public(signed / "SHA256SUMS.pem", other)
    assert codes(signed) == set()
    assert codes(signed, public) == {"other_signer"}


@pytest.mark.parametrize("name", ["SHA256SUMS.sig", "SHA256SUMS.pem"])
def test_a_removed_signature_is_found(signed: Path, public: Path, name: str) -> None:
    (signed / name).unlink()
    assert codes(signed) == codes(signed, public) == {"not_signed"}


def test_an_unsigned_release_is_whole_but_not_by_the_signer(public: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "plain")
    verdict = verify(folder)
    assert (verdict.faults, verdict.signed_by) == ([], "")
    assert codes(folder, public) == {"not_signed"}


@pytest.mark.parametrize("text", [b"", b"no key", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_a_key_that_is_none_is_told(signed: Path, tmp_path: Path, text: bytes) -> None:
    (tmp_path / "bad.pem").write_bytes(text)
    assert codes(signed, tmp_path / "bad.pem") == {"bad_key"}
    assert codes(signed, tmp_path / "missing.pem") == {"bad_key"}


def test_a_key_of_another_kind_is_told(signed: Path, tmp_path: Path) -> None:
    key = save_public(tmp_path / "rsa.pem", rsa.generate_private_key(65537, 2048))
    assert codes(signed, key) == {"bad_key"}


def test_without_cryptography_the_rest_is_checked_and_the_signature_is_said_to_be_open(
    signed: Path, public: Path
) -> None:
    script = "import sys, runpy; sys.modules['cryptography'] = None; sys.argv[0] = 'verify.py'; "
    script += "runpy.run_path('verify.py', run_name='__main__')"
    command = [sys.executable, "-c", script, "."]
    ran = subprocess.run(command, cwd=signed, capture_output=True, text=True, check=False)
    assert (ran.returncode, "unchecked (needs cryptography)" in ran.stdout) == (0, True), ran.stdout + ran.stderr
    ran = subprocess.run([*command, "--key", str(public)], cwd=signed, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "pip install cryptography" in ran.stdout


def test_the_seal_does_not_depend_on_the_key_and_the_signature_is_the_same_again(
    signed: Path, tmp_path: Path, settings: Any
) -> None:
    again = written(tmp_path / "again")
    assert (again / "SHA256SUMS.sig").read_bytes() == (signed / "SHA256SUMS.sig").read_bytes()
    settings.SIGNING_KEY = ""
    plain = written(tmp_path / "plain")
    assert sha256_of(plain / "SHA256SUMS") == sha256_of(signed / "SHA256SUMS")


def test_the_command_takes_the_key(signed: Path, public: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(signed), "--key", str(public)]) == 0
    (signed / "SHA256SUMS.sig").unlink()
    assert main([str(signed), "--key", str(public)]) == 1
    assert "not signed" in capsys.readouterr().out


def test_a_bad_key_of_the_server_exports_nothing(tmp_path: Path, settings: Any) -> None:
    keys = [tmp_path / "missing.pem", save_private(tmp_path / "rsa.pem", rsa.generate_private_key(65537, 2048))]
    (tmp_path / "text.pem").write_text("no key")
    for path in (*keys, tmp_path / "text.pem"):
        settings.SIGNING_KEY = str(path)
        with pytest.raises(Conflict) as refusal:
            open_signer()
        assert refusal.value.code == "bad_signing_key"
