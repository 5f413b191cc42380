"""Builds the other hospital and records it. Started by `make` inside namespaces of its own."""

import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

import attacks
import day
import patients as patient_list
import programs
from dicom_objects import Objects
from network import LAB, Network, ip, run

PYTHON = ("/usr/bin/python3", "-P", "-B")
LEARN_SECONDS, LATER_SECONDS, SETTLE_SECONDS = 360, 720, 8


def record(what, seed, scale, out):
    work = pathlib.Path(tempfile.mkdtemp(prefix="iotguard-other-"))
    work.chmod(0o755)
    net = Network(work)
    os.chdir(work)
    try:
        net.build()
        ip("netns", "add", "sensor")
        ip("link", "add", "mirror", "mtu", 65535, "type", "veth", "peer", "name", "span0", "mtu", 65535, "netns", "sensor")
        run(*net.inside("sensor"), "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        ip("link", "set", "span0", "arp", "off", "promisc", "on", "up", netns="sensor")
        ip("link", "set", "mirror", "arp", "off", "up")
        net.serve("mirror", None, *PYTHON, LAB / "mirror.py", "mirror")
        objects = Objects(work / "studies", random.Random(f"{seed}/{what}"))
        programs.start(net, objects, patient_list.read())
        time.sleep(SETTLE_SECONDS)
        net.check_services()
        capture = out / f"{what}.pcap"
        capture.unlink(missing_ok=True)
        tcpdump = net.serve("tcpdump", "sensor", "tcpdump", "-i", "span0", "-s", 0, "-B", 65536, "-Z", "root", "-U", "-w", capture)
        time.sleep(1)
        today = day.Day(net, objects, patient_list.read(), f"{seed}/{what}", later=what == "later")
        today.start()
        net.say(f"recording {what}")
        if what == "attacks":
            labels = attacks.carry_out(net, objects, patient_list.read(), scale)
            with open(out / "attacks.labels.jsonl", "w", encoding="utf-8") as file:
                file.writelines(json.dumps(label) + "\n" for label in labels)
        else:
            time.sleep((LATER_SECONDS if what == "later" else LEARN_SECONDS) * scale)
        net.check_services()
        today.finish()
        tcpdump.terminate()
        tcpdump.wait(10)
        net.say(f"{capture}: {capture.stat().st_size:,} bytes")
    finally:
        net.close()
        shutil.copytree(work, out / f"{what}.logs", dirs_exist_ok=True, ignore=lambda _, names: [n for n in names if not n.endswith(".log")])
        os.chdir("/")
        shutil.rmtree(work, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(prog="make")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=LAB.parent.parent / "artifacts" / "other-hospital")
    parser.add_argument("--only", choices=("learn", "later", "attacks"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    out = arguments.out.resolve()
    if arguments.only:
        record(arguments.only, arguments.seed, arguments.scale, out)
        return
    for what in ("learn", "later", "attacks"):  # each in namespaces of its own
        subprocess.run(["unshare", "--mount", "--net", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc", sys.executable, "-P", "-B", __file__,
                        "--only", what, "--seed", str(arguments.seed), "--scale", str(arguments.scale), "--out", str(out)], check=True)


if __name__ == "__main__":
    main()
