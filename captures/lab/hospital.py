"""Builds the hospital, lets a day begin, records it. Started by make-hospital inside namespaces of its own."""

import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

import attacks
import benign
import labels as label_file
import patients as patient_list
import services
from dicom_objects import Objects
from network import LAB, Network, ip, run

SETTLE_SECONDS = 6


class Recorder:
    """tcpdump on the far end of the mirror port, in a namespace that cannot send."""

    def __init__(self, net):
        self.net = net
        ip("netns", "add", "sensor")
        ip("link", "add", "mirror", "mtu", 65535, "type", "veth", "peer", "name", "span0", "mtu", 65535, "netns", "sensor")
        run(*net.inside("sensor"), "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.span0.disable_ipv6=1")
        ip("link", "set", "span0", "arp", "off", "promisc", "on", "up", netns="sensor")
        ip("link", "set", "mirror", "arp", "off", "up")
        net.serve("mirror", None, "/usr/bin/python3", "-B", LAB / "mirror.py", "mirror")
        self.raw = net.work / "recorded.pcap"
        self.tcpdump = None

    def start(self):
        self.tcpdump = self.net.serve("tcpdump", "sensor", "tcpdump", "-i", "span0", "-s", 0, "-B", 65536, "--time-stamp-precision=nano",
                                      "-Z", "root", "-U", "-w", self.raw)
        while not (self.raw.exists() and self.raw.stat().st_size >= 24):
            time.sleep(0.05)

    def stop(self, path, comment):
        self.tcpdump.terminate()
        self.tcpdump.wait(10)
        run("editcap", "-F", "pcapng", "--capture-comment", comment, self.raw, path)
        self.net.say((self.net.work / "tcpdump.log").read_text().strip().replace("\n", "; "))


def record(scenario, seed, minutes, out):
    work = pathlib.Path(tempfile.mkdtemp(prefix="iotguard-lab-"))
    work.chmod(0o755)
    net = Network(work)
    os.chdir(work)
    try:
        chance = random.Random(f"{seed}/{scenario}")
        patients = patient_list.read()
        objects = Objects(work / "studies", chance)
        net.build()
        recorder = Recorder(net)
        services.start(net, objects, patients)
        if scenario == "attacks":
            services.start_internet(net)
        time.sleep(SETTLE_SECONDS)
        net.check_services()
        recorder.start()
        net.say(f"recording {scenario}, seed {seed}")
        services.start_sources(net, f"{seed}/{scenario}")
        day = benign.Day(net, objects, patients, f"{seed}/{scenario}")
        day.start()
        if scenario == "attacks":
            labels = attacks.carry_out(net, objects, patients)
        else:
            labels = []
            time.sleep(minutes * 60)
        net.check_services()
        day.finish()
        capture = out / f"hospital-{scenario}.pcapng"
        recorder.stop(capture, f"IoTGuard hospital lab, scenario {scenario}, seed {seed}; synthetic patients")
        label_file.write(label_file.narrow(labels, capture), out / f"hospital-{scenario}.labels.jsonl")
        net.say(f"{capture}: {capture.stat().st_size:,} bytes")
    finally:
        net.close()
        if "IOTGUARD_LAB_KEEP" in os.environ:
            shutil.copytree(work, os.environ["IOTGUARD_LAB_KEEP"], dirs_exist_ok=True, ignore=shutil.ignore_patterns("archive", "orthanc-*", "studies", "got", "stolen"))
        os.chdir("/")
        shutil.rmtree(work, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(prog="make-hospital")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=LAB.parent)
    parser.add_argument("--scenario", choices=("benign", "attacks", "all"), default="all")
    parser.add_argument("--minutes", type=float, default=10.5)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    out = arguments.out.resolve()
    if arguments.scenario != "all":
        record(arguments.scenario, arguments.seed, arguments.minutes, out)
        return
    for scenario in ("benign", "attacks"):  # each in namespaces of its own
        subprocess.run(["unshare", "--mount", "--net", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc", sys.executable, "-B", __file__,
                        "--scenario", scenario, "--seed", str(arguments.seed), "--minutes", str(arguments.minutes), "--out", str(out)], check=True)


if __name__ == "__main__":
    main()
