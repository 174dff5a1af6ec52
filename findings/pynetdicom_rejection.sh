#!/usr/bin/env bash
# pynetdicom 3.0.4 loses the rejection of an association that a handler of EVT_REQUESTED sends.
#
# Input: a node whose handler of EVT_REQUESTED answers with acse.send_reject(result 2, transient; source 1, user; reason
# 1), as a node does that is busy or does not know its peer; and a plain request for an association over a socket.
# Expected: the peer gets an A-ASSOCIATE-RJ (PDU type 3) with these three values. The library's code has a branch for it,
# whose comment says that a handler of this event may abort or reject.
# Seen: the connection is closed without a byte, so that peers take it for a broken line and try again. When the handler
# also ends the association (assoc.kill()) the rejection arrives as it was sent.
# Exits 0 while this is so, 1 when it changed.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pynetdicom==3.0.4 pydicom==3.0.1
cat > probe.py <<'PY'
import socket
import sys

import pydicom
import pynetdicom
from pynetdicom import AE, evt
from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import A_ASSOCIATE, ImplementationClassUIDNotification, MaximumLengthNotification
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import Verification

TRIES = 5


def request():
    """The bytes of a plain A-ASSOCIATE-RQ for Verification."""
    primitive = A_ASSOCIATE()
    primitive.application_context_name = "1.2.840.10008.3.1.1.1"
    primitive.calling_ae_title, primitive.called_ae_title = "PEER", "NODE"
    context = build_context(Verification)
    context.context_id = 1
    primitive.presentation_context_definition_list = [context]
    length, implementation = MaximumLengthNotification(), ImplementationClassUIDNotification()
    length.maximum_length_received = 16384
    implementation.implementation_class_uid = pydicom.uid.UID("1.2.3.4")
    primitive.user_information = [length, implementation]
    pdu = A_ASSOCIATE_RQ()
    pdu.from_primitive(primitive)
    return pdu.encode()


def answers(ends):
    """What the socket gets back, in hexadecimal, for each try."""

    def on_requested(event):
        event.assoc.acse.send_reject(2, 1, 1)
        if ends:
            event.assoc.kill()

    node = AE(ae_title="NODE")
    node.add_supported_context(Verification)
    server = node.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_REQUESTED, on_requested)])
    found = set()
    for _ in range(TRIES):
        with socket.create_connection(server.server_address, 10) as line:
            line.settimeout(20)
            line.sendall(request())
            try:
                found.add(line.recv(64).hex())
            except ConnectionResetError:
                found.add("")
    server.shutdown()
    return found


print(f"pynetdicom {pynetdicom.__version__}, pydicom {pydicom.__version__}")
plain, ended = answers(False), answers(True)
print(f"the handler rejects: the peer gets {sorted(plain)}")
print(f"the handler rejects and ends the association: the peer gets {sorted(ended)}")
if plain != {""} or ended != {"03000000000400020101"}:
    sys.exit("changed: the rejection arrives by itself now, or is another one")
print("as described: a rejection alone never arrives, one that is followed by kill() does")
PY
venv/bin/python probe.py
