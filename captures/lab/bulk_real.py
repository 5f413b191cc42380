"""Large captures of real programs over one veth pair. Started by make-bulk inside namespaces of its own.

cstore: dcmtk's storescu sends studies to storescp, on several associations, with some C-ECHO between them.
hl7: a few senders and the lab's MLLP receivers, one message at a time, each acknowledged.
"""

import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import patients
from hl7_messages import Messages, frame
from network import LAB, NETNS, Network, ip, run

CLIENT, SERVER = "10.99.0.1", "10.99.0.2"
#         style of the receiver, port, share of the messages (two acknowledgements in a row wait for a delayed TCP one, so few of these)
STYLES = (("plain", 2575, 0.35), ("bare-end", 2576, 0.32), ("one", 2577, 0.32), ("enhanced", 2578, 0.01))


def wire(net):
    NETNS.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "lab", NETNS)
    ip("netns", "add", "server")
    ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", "server")
    for inside in ((), net.inside("server")):
        run(*inside, "ethtool", "-K", "eth0", "tso", "off", "gso", "off", "gro", "off", "tx", "off")
        run(*inside, "ip", "link", "set", "lo", "up")
        run(*inside, "ip", "link", "set", "eth0", "up")
    ip("addr", "add", f"{CLIENT}/24", "dev", "eth0")
    ip("addr", "add", f"{SERVER}/24", "dev", "eth0", netns="server")


def cstore(net, megabytes):
    """One CT of 512 × 512 is half a megabyte; the same few files go again and again under other UIDs."""
    import dicom_objects
    chance = random.Random(1)
    kind = list(dicom_objects.MODALITIES["CT"])
    kind[1:3], kind[5] = (512, 512), 16
    dicom_objects.MODALITIES["CT"] = tuple(kind)
    _, files = dicom_objects.Objects(net.work / "studies", chance).study("CT", patients.read()[0], "CT_BULK")
    net.serve("storescp", "server", "storescp", "--ignore", "--fork", "-pdu", 65536, "-aet", "BULKSCP", 11112)
    time.sleep(1)
    repeat = max(1, round(megabytes / 4 / (len(files) * 0.527)))

    def send(number):
        title = f"CT_BULK{number}"
        run("storescu", "-R", "--repeat", repeat, "+IP", 1, "-pdu", 32768 if number % 2 else 16384, "-aet", title, "-aec", "BULKSCP", SERVER, 11112, *files, timeout=1200)
        run("echoscu", "--repeat", 20, "-aet", title, "-aec", "BULKSCP", SERVER, 11112)
    together([threading.Thread(target=send, args=(n,)) for n in range(4)], 2)


def hl7(net, count):
    """The senders are processes of their own, so that they do not wait for each other."""
    for style, port, _ in STYLES:
        net.serve(f"mllp-{port}", "server", "/usr/bin/python3", "-B", LAB / "mllp_server.py", port, style, "BULK")
    time.sleep(1)
    senders = [subprocess.Popen([sys.executable, "-B", __file__, "sender", str(port), style, str(round(count * share))])
               for style, port, share in STYLES]
    if any(sender.wait() for sender in senders):
        sys.exit("make-bulk: a sender failed")


def sender(port, style, count):
    from hl7_source import connect, replies
    everyone, chance = patients.read(), random.Random(port)
    messages = Messages(f"BULK{port}", "IGH", "ENGINE", "IGH", port, accept="AL" if style == "enhanced" else "")
    makers = (messages.adt, messages.adt, messages.result, messages.result, messages.order, lambda p: messages.monitor(p, "11"))
    s = None
    for number in range(count):
        if number % 2000 == 0:
            s = connect(SERVER, port)
        s.sendall(frame(messages.report(chance.choice(everyone), 20_000) if number % 200 == 0 else chance.choice(makers)(chance.choice(everyone))))
        replies(s, 5, 2 if style == "enhanced" else 1)


def together(threads, at_once):
    for at in range(0, len(threads), at_once):
        for thread in threads[at:at + at_once]:
            thread.start()
        for thread in threads[at:at + at_once]:
            thread.join()


def main():
    parser = argparse.ArgumentParser(prog="make-bulk")
    parser.add_argument("kind", choices=("cstore", "hl7"))
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--messages", type=int, default=40_000)
    arguments = parser.parse_args()
    work, target = pathlib.Path(tempfile.mkdtemp(prefix="iotguard-bulk-")), arguments.file.resolve()
    work.chmod(0o755)
    net = Network(work)
    os.chdir(work)
    try:
        wire(net)
        tcpdump = net.serve("tcpdump", None, "tcpdump", "-i", "eth0", "-s", 0, "-B", 262144, "-Z", "root", "-w", target)
        time.sleep(1)
        cstore(net, arguments.megabytes) if arguments.kind == "cstore" else hl7(net, arguments.messages)
        time.sleep(2)
        tcpdump.terminate()
        tcpdump.wait(30)
        print((work / "tcpdump.log").read_text())
    finally:
        net.close()
        os.chdir("/")
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sender(int(sys.argv[2]), sys.argv[3], int(sys.argv[4])) if sys.argv[1] == "sender" else main()
