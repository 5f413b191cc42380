"""The small network of make-fileserver: a server, a workstation and an attacker on one bridge, whose traffic is recorded."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

SERVER, WORKSTATION, ATTACKER = "10.30.0.10", "10.30.0.11", "10.30.0.66"
HOSTS = {"server": SERVER, "workstation": WORKSTATION, "attacker": ATTACKER}
NAMES = {"server": "files01", "workstation": "ws07", "attacker": "laptop"}
HERE = pathlib.Path(__file__).parent


def inside_of(host):
    """Each host has its own network and name."""
    return ["ip", "netns", "exec", host, "unshare", "--uts", "bash", "-c", f'hostname {NAMES[host]}; exec "$@"', "-"]


def run(command, host=None, check=False, seconds=60, text=None):
    """Runs a line of shell on a host; what it prints is shown when it fails."""
    inside = inside_of(host) if host else []
    try:
        done = subprocess.run([*inside, "bash", "-c", command], input=text, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        print(f"{host}: {command}: still running after {seconds} s, ended", file=sys.stderr)
        return ""
    if done.returncode:
        print(f"{host}: {command}: {done.returncode} {(done.stdout + done.stderr)[-400:]}", file=sys.stderr)
        if check:
            sys.exit(1)
    return done.stdout


def start(command, host):
    return subprocess.Popen([*inside_of(host), "bash", "-c", "exec " + command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def network():
    run("mount -t tmpfs none /run && mkdir -p /run/netns /run/lock && ip link set lo up && ip link add br0 type bridge && ip link set br0 up", check=True)
    for number, (name, address) in enumerate(HOSTS.items(), 1):
        run(f"ip netns add {name} && ip link add v{name[:6]} type veth peer name eth0 netns {name} && ip link set v{name[:6]} master br0 up", check=True)
        run(f"ip link set lo up && ip link set eth0 address 02:30:00:00:00:{number:02x} && ip addr add {address}/24 dev eth0 && ip link set eth0 up", name, check=True)


class Recording:
    """What the bridge carries, into a pcapng."""

    def __init__(self, path):
        self.path = path
        self.raw = tempfile.mktemp(suffix=".pcap")

    def __enter__(self):
        self.process = subprocess.Popen(["tcpdump", "-i", "br0", "-s", "0", "-U", "-w", self.raw, "not ip6"], stderr=subprocess.DEVNULL)
        time.sleep(1)
        return self

    def __exit__(self, *_):
        time.sleep(1)
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        run(f"editcap -F pcapng {self.raw} {self.path}", check=True)
        os.unlink(self.raw)
        print(f"{self.path}: {os.path.getsize(self.path)} bytes", file=sys.stderr)


def main(out):
    os.environ["TMPDIR"] = work = tempfile.mkdtemp(prefix="iotguard-fileserver-")
    tempfile.tempdir = work
    sys.path.insert(0, str(HERE))
    import fileserver_services
    import fileserver_smb
    network()
    wanted = os.environ.get("ONLY", "smb services").split()
    if "smb" in wanted:
        with fileserver_smb.samba(work), Recording(f"{out}/smb.pcapng"):
            fileserver_smb.work_as_usual(work)
        with fileserver_smb.samba(work, "server smb encrypt = off"), Recording(f"{out}/smb-attacks.pcapng"):
            fileserver_smb.attack(work)
    if "services" in wanted:
        with fileserver_services.servers(work), Recording(f"{out}/services.pcapng"):
            fileserver_services.play(work)
    run(f"rm -rf {work}")


if __name__ == "__main__":
    main(sys.argv[1])
