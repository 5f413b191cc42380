"""Namespaces, one Linux bridge per VLAN, a router between them, and the processes that run in them."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

from topology import DOMAIN, HOSTS, ROUTER_MAC, VLANS

NETNS = pathlib.Path("/run/netns")
OFFLOADS = ("tso", "gso", "gro", "tx", "sg")


def run(*command, check=True, timeout=120, **kwargs):
    result = subprocess.run([str(c) for c in command], timeout=timeout, text=True, errors="replace", capture_output=True, **kwargs)
    if check and result.returncode:
        raise RuntimeError(f"{' '.join(str(c) for c in command)}: {result.stderr.strip()}")
    return result


def ip(*arguments, netns=None):
    inside = ("-n", netns) if netns else ()
    return run("ip", *inside, *arguments)


class Network:
    """The switch lives in this process's own namespace; hosts in named ones that only this mount namespace can see."""

    def __init__(self, work):
        self.work = work
        self.home = work / "home"
        self.services = []
        self.log = open(work / "lab.log", "a", buffering=1)
        self.lock = threading.Lock()

    def say(self, text):
        with self.lock:
            line = f"{time.time():.3f} {text}"
            self.log.write(line + "\n")
            print(line, file=sys.stderr, flush=True)

    # Building

    def build(self):
        NETNS.mkdir(exist_ok=True)
        run("mount", "-t", "tmpfs", "lab", NETNS)
        self._home()
        self._replace("/etc/resolv.conf", f"nameserver {HOSTS['infra'].ipv4}\nsearch {DOMAIN}\noptions timeout:1\n")
        self._replace("/etc/hosts", "127.0.0.1 localhost\n")
        run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        ip("link", "set", "lo", "up")
        for vlan in VLANS.values():
            ip("link", "add", f"br{vlan.id}", "type", "bridge", "mcast_snooping", "0", "forward_delay", "0")
            ip("link", "set", f"br{vlan.id}", "up")
        self._router()
        for host in HOSTS.values():
            if not host.latecomer:
                self.plug_in(host)

    def _home(self):
        """root lives in the work folder here: SSH keys and known hosts of the lab stay in the lab."""
        self.home.mkdir(mode=0o700)
        os.environ["HOME"] = str(self.home)
        root = re.compile(r"^(root:(?:[^:]*:){4})[^:]*", re.MULTILINE)
        self._replace("/etc/passwd", root.sub(rf"\g<1>{self.home}", pathlib.Path("/etc/passwd").read_text()))

    def _replace(self, path, text):
        file = self.work / path.strip("/").replace("/", "_")
        file.write_text(text)
        run("mount", "--bind", file, path)

    def _router(self):
        self._namespace("router")
        run(*self.inside("router"), "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
            "net.ipv4.conf.all.send_redirects=0")
        for vlan in VLANS.values():
            port = f"eth{vlan.id}"
            self._cable("router", port, ROUTER_MAC, vlan.id, f"p-router-{vlan.id}")
            ip("addr", "add", f"{vlan.ipv4}.1/24", "dev", port, netns="router")
            if vlan.ipv6:
                ip("-6", "addr", "add", f"{vlan.ipv6}::1/64", "dev", port, "nodad", netns="router")
        # A little genuine loss between the VLANs: the mirror shows the first copy of a packet, the second only after a retransmission.
        run(*self.inside("router"), "nft", "-f", "-", input="""
            table inet loss { chain forward { type filter hook forward priority 0;
              meta l4proto tcp meta length > 200 numgen random mod 1000 == 0 drop; }; }""")

    def _namespace(self, name):
        ip("netns", "add", name)
        ip("link", "set", "lo", "up", netns=name)
        run(*self.inside(name), "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
            "net.ipv4.tcp_fin_timeout=10", "net.ipv4.ip_unprivileged_port_start=0")

    def _cable(self, netns, port, mac, vlan, switch_port, offload=True):
        ip("link", "add", switch_port, "type", "veth", "peer", "name", port, "netns", netns)
        ip("link", "set", port, "address", mac, netns=netns)
        if not offload:
            run(*self.inside(netns), "ethtool", "-K", port, *(word for o in OFFLOADS for word in (o, "off")))
        ip("link", "set", port, "up", netns=netns)
        if vlan:
            ip("link", "set", switch_port, "master", f"br{vlan}")
        ip("link", "set", switch_port, "up")

    def plug_in(self, host):
        vlan = VLANS[host.vlan]
        self._namespace(host.name)
        if not vlan.ipv6:
            run(*self.inside(host.name), "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        if host.lossy:
            # host ═ wireless bridge ═ switch; the bridge is lossy_wire.py between the two inner ends
            self._cable(host.name, "eth0", host.mac, None, f"w-{host.name}-a", offload=False)
            ip("link", "add", f"p-{host.name}", "type", "veth", "peer", "name", f"w-{host.name}-b")
            run("ethtool", "-K", f"p-{host.name}", *(word for o in OFFLOADS for word in (o, "off")))
            ip("link", "set", f"p-{host.name}", "master", f"br{host.vlan}")
            ip("link", "set", f"p-{host.name}", "up")
            ip("link", "set", f"w-{host.name}-b", "up")
            self.serve(f"wire-{host.name}", None, "/usr/bin/python3", "-B", LAB / "lossy_wire.py", f"w-{host.name}-a", f"w-{host.name}-b")
        else:
            self._cable(host.name, "eth0", host.mac, host.vlan, f"p-{host.name}", offload=host.offload)
        if host.octet:
            ip("addr", "add", f"{host.ipv4}/24", "dev", "eth0", netns=host.name)
            ip("route", "add", "default", "via", f"{vlan.ipv4}.1", netns=host.name)
        if host.ipv6:
            ip("-6", "addr", "add", f"{host.ipv6}/64", "dev", "eth0", "nodad", netns=host.name)
            ip("-6", "route", "add", "default", "via", f"{vlan.ipv6}::1", netns=host.name)

    # Running

    @staticmethod
    def inside(netns):
        return ("nsenter", f"--net={NETNS / netns}") if netns else ()

    def serve(self, name, netns, *command, **kwargs):
        """Starts a service that runs until the lab closes; its output goes to the work folder."""
        output = open(self.work / f"{name}.log", "a")
        process = subprocess.Popen([str(c) for c in (*self.inside(netns), *command)], stdout=output, stderr=output,
                                   stdin=subprocess.DEVNULL, start_new_session=True, **kwargs)
        self.services.append((name, process))
        return process

    def do(self, netns, *command, timeout=60, **kwargs):
        """Runs one command on a host to its end; never raises, because clients of a busy hospital do fail."""
        started = time.time()
        try:
            result = run(*self.inside(netns), *command, check=False, timeout=timeout, **kwargs)
            code, tail = result.returncode, (result.stdout + result.stderr).strip()[-300:]
        except subprocess.TimeoutExpired:
            result, code, tail = None, "timeout", ""
        with self.lock:
            shown = " ".join(str(c) for c in command)
            self.log.write(f"{started:.3f} +{time.time() - started:.2f} {netns}: {shown[:240]} -> {code} {tail if code else ''}\n")
        return result

    def check_services(self):
        for name, process in self.services:
            if process.poll() is not None:
                self.say(f"service {name} ended with {process.returncode}: see {name}.log")

    def close(self):
        for _, process in reversed(self.services):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for _, process in self.services:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


LAB = pathlib.Path(__file__).resolve().parent
