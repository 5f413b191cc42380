"""What is normal at the other hospital, and on a later day what is new and harmless."""

import random
import threading

import topology as t
from programs import ARCH_PORT, HUB_ADT, HUB_BED, HUB_ORU, HUB_WEB, READ1_PORT, READ1_WEB, READ2_PORT, SCHED_PORT, SPEAK, TLS_PORT


class Day:
    def __init__(self, net, objects, patients, seed, later=False):
        self.net, self.objects, self.patients, self.seed, self.later = net, objects, patients, seed, later
        self.stop, self.lock, self.threads, self.studies, self.sources = threading.Event(), threading.Lock(), [], [], {}

    def tasks(self):
        """Task, period and first time in seconds."""
        rows = [
            (self.office, 12, 6), (self.nurse, 35, 15), (self.pumps, 9, 3), (self.watch, 20, 4), (self.ct, 75, 12), (self.xray, 60, 22), (self.xray_tls, 80, 30), (self.sono, 90, 45),
            (self.clinic, 50, 18), (self.read1, 55, 40), (self.read2, 50, 50), (self.worklists, 40, 8), (self.backup, 150, 60), (self.admin, 60, 33), (self.time, 64, 5),
            (self.printing, 45, 28), (self.updates, 120, 70), (self.audit, 100_000, 110), (self.dhcp, 240, 1),
        ]
        if self.later:
            rows += [(self.unpack, 100_000, 120), (self.reboot, 100_000, 200), (self.replan, 100_000, 260), (self.big_update, 100_000, 320), (self.night, 100_000, 420),
                     (self.cover, 100_000, 480), (self.emr_restart, 100_000, 540)]
        return rows

    def start(self):
        # So that the first copies of the addresses exist before anything else happens.
        for kind, host, port, period, persistent in (("adt", "emr", HUB_ADT, 4, "yes"), ("bed1", "bed1", HUB_BED, 5, "yes"), ("bed2", "bed2", HUB_BED, 5, "yes"), ("bed3", "bed3", HUB_BED, 10, "no"),
                                                     ("gas1", "gas1", HUB_ORU, 11, "no"), ("gas2", "gas2", HUB_ORU, 13, "no"), ("lis", "lis", HUB_ORU, 6, "yes"), ("clinic", "behind", HUB_ADT, 15, "no")):
            self.source(kind, host, port, period, persistent)
        for task, period, first in self.tasks():
            thread = threading.Thread(target=self._repeat, args=(task, period, first, random.Random(f"{self.seed}/{task.__name__}")), daemon=True)
            thread.start()
            self.threads.append(thread)

    def source(self, kind, host, port, period, persistent):
        self.sources[kind] = self.net.serve(f"hl7-{kind}", host, *SPEAK, "send", kind, t.HOSTS["hub"].ipv4, port, period, persistent)

    def finish(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(40)

    def _repeat(self, task, period, first, chance):
        wait = first
        while not self.stop.wait(wait):
            try:
                task(chance)
            except Exception as error:
                self.net.say(f"{task.__name__}: {error!r}")
            wait = period * chance.uniform(0.6, 1.5)

    def do(self, host, *command, **kwargs):
        return self.net.do(host, *command, timeout=kwargs.pop("timeout", 30), **kwargs)

    def get(self, host, url, *more):
        return self.do(host, "curl", "-sk", "-o", "/dev/null", "--max-time", 20, *more, url)

    def study(self, modality, station, chance):
        with self.lock:
            return self.objects.study(modality, chance.choice(self.patients), station)

    def store(self, host, aet, files, aec="MAINARCH", to="arch", port=ARCH_PORT, *more):
        self.do(host, "storescu", "-to", 6, "-R", "-aet", aet, "-aec", aec, *more, f"{to}.{t.DOMAIN}" if "." not in to else to, port, *files)

    # Imaging

    def ct(self, chance):
        uid, files = self.study("CT", "CT64", chance)
        self.store("ct64", "CT64", files)
        self.studies.append(uid)

    def xray(self, chance):
        uid, files = self.study("CR", "XR1", chance)
        self.store("xr1", "XR1", files)
        if chance.random() < 0.4:
            self.store("xr1", "XR1", files, "READ1", "read1", READ1_PORT)
        self.studies.append(uid)

    def xray_tls(self, chance):
        _, files = self.study("CR", "XR2", chance)
        self.store("xr2", "XR2", files, "MAINARCH", "arch", TLS_PORT, "+tla", "-ic")

    def sono(self, chance):
        uid, files = self.study("US", "SONO", chance)
        self.store("sono", "SONO", files)
        self.do("sono", "echoscu", "-aet", "SONO", "-aec", "MAINARCH", f"arch.{t.DOMAIN}", ARCH_PORT)

    def clinic(self, chance):
        _, files = self.study("US", "CLINIC_US", chance)
        self.store("behind", "CLINIC_US", files, "MAINARCH", t.HOSTS["arch"].ipv4)
        self.get("behind", f"http://{t.HOSTS['portal'].ipv4}/index.html")

    def worklists(self, chance):
        host, aet, modality = chance.choice((("ct64", "CT64", "CT"), ("xr1", "XR1", "CR"), ("xr2", "XR2", "CR"), ("sono", "SONO", "US")))
        self.do(host, "findscu", "-to", 6, "-W", "-aet", aet, "-aec", "SCHED", f"sched.{t.DOMAIN}", SCHED_PORT, "-k", f"ScheduledProcedureStepSequence[0].Modality={modality}",
                "-k", "PatientName", "-k", "PatientID", "-k", "AccessionNumber")

    def find(self, host, aet, *keys):
        return self.do(host, "findscu", "-to", 6, "-S", "-aet", aet, "-aec", "MAINARCH", f"arch.{t.DOMAIN}", ARCH_PORT, *(w for k in keys for w in ("-k", k)))

    def read1(self, chance):
        self.find("read1", "READ1", "QueryRetrieveLevel=STUDY", "StudyDate=20260101-", "ModalitiesInStudy=CT", "PatientID", "StudyInstanceUID")
        if self.studies:
            self.do("read1", "movescu", "-to", 6, "-S", "-aet", "READ1", "-aec", "MAINARCH", "-aem", "READ1", f"arch.{t.DOMAIN}", ARCH_PORT, "-k", "QueryRetrieveLevel=STUDY",
                    "-k", f"StudyInstanceUID={chance.choice(self.studies)}")

    def read2(self, chance):
        p = chance.choice(self.patients)
        self.find("read2", "READ2", "QueryRetrieveLevel=STUDY", f"PatientID={p.id}", "StudyInstanceUID")
        for uid in self.studies[-1:]:
            self.find("read2", "READ2", "QueryRetrieveLevel=SERIES", f"StudyInstanceUID={uid}", "SeriesInstanceUID")
            self.do("read2", "movescu", "-to", 6, "-S", "-aet", "READ2", "-aec", "MAINARCH", "-aem", "READ2", f"arch.{t.DOMAIN}", ARCH_PORT, "-k", "QueryRetrieveLevel=STUDY",
                    "-k", f"StudyInstanceUID={uid}")

    # The office and the wards

    def office(self, chance):
        pc = chance.choice(("pc1", "pc2", "pc3"))
        host = f"portal.{t.DOMAIN}"
        what = chance.randrange(7)
        if what < 2:
            for _ in range(chance.randrange(1, 5)):
                self.get(pc, f"https://{host}/page{chance.randrange(12)}.html")
        elif what == 2:
            self.get(pc, f"http://{host}/page{chance.randrange(12)}.html")
        elif what == 3:
            self.smb(pc, f"get report-{chance.randrange(120):03}.txt /dev/null; put /etc/services pc-{chance.randrange(9)}.txt")
        elif what == 4:
            self.get(pc, "https://cloud.example/news")
        elif what == 5:
            self.get(pc, f"http://{t.HOSTS['hub'].ipv4}:{HUB_WEB}/status")
        else:
            self.do(pc, "busybox", "ping", "-c", 1, "-w", 3, host)

    def smb(self, pc, commands, share="docs"):
        self.do(pc, "smbclient", "-N", "-s", self.net.work / "smb.conf", "-p", 445, f"//{t.HOSTS['files'].ipv4}/{share}", "-c", commands)

    def nurse(self, chance):
        self.get("nurse", f"http://portal.{t.DOMAIN}/staff/page3.html", "-u", "nurse:tea")
        self.get("nurse", f"http://{t.HOSTS['read1'].ipv4}:{READ1_WEB}/studies", "-u", "reader:invented")

    def pumps(self, chance):
        pump = chance.choice(("pump1", "pump2"))
        self.do(pump, "mosquitto_pub", "-h", t.HOSTS["broker"].ipv4, "-t", f"pumps/{pump}/rate", "-m", f"{chance.uniform(1, 9):.2f}", "-i", pump)

    def printing(self, chance):
        self.do(chance.choice(("pc1", "pc3", "nurse")), "busybox", "nc", "-w", 2, t.HOSTS["printer"].ipv4, 9100, input="%!PS invented\n" * 60)

    # Those who talk to everybody

    def watch(self, chance):
        for name, ports in (("arch", (ARCH_PORT, 22)), ("sched", (SCHED_PORT,)), ("hub", (HUB_ADT, HUB_WEB)), ("files", (445, 21)), ("portal", (80, 443)), ("broker", (1883,)), ("printer", (9100,)),
                            ("read1", (READ1_PORT,)), ("gas1", (22,)), ("bed1", ()), ("bed2", ()), ("ct64", ())):
            self.do("watch", "busybox", "ping", "-c", 1, "-w", 2, t.HOSTS[name].ipv4)
            for port in ports:
                self.do("watch", "timeout", 2, "bash", "-c", f"</dev/tcp/{t.HOSTS[name].ipv4}/{port}")
        for name in ("printer", "files"):
            self.do("watch", "snmpget", "-v2c", "-c", "stmary-ro", "-t", 2, "-r", 0, t.HOSTS[name].ipv4, "1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.1.5.0")

    def audit(self, chance):
        """The inventory that the hospital takes of itself."""
        self.do("audit", "nmap", "-n", "-sT", "-Pn", "--max-rate", 40, "-p", "21,22,23,80,104,443,445,1883,2575,3389,5900,8080,9100,11112",
                *(t.HOSTS[n].ipv4 for n in ("arch", "sched", "hub", "files", "portal", "printer", "ct64", "xr1", "read1", "bed1", "gas1")), timeout=90)

    def backup(self, chance):
        self.ssh("vault", "files", "tar cf - /usr/share/dict /etc 2>/dev/null | head -c 2000000")

    def ssh(self, host, to, command, *more):
        self.do(host, "ssh", "-F", self.net.home / ".ssh" / "config", *more, f"root@{t.HOSTS[to].ipv4}", command)

    def admin(self, chance):
        self.ssh("admin", chance.choice(("hub", "arch", "gas1", "portal")), "uptime; sleep 2; ls /etc")
        self.do("admin", "curl", "-s", "--max-time", 8, f"ftp://{t.HOSTS['files'].ipv4}/", "-u", "service:invented")

    def time(self, chance):
        for host in ("ct64", "hub", "lis", "bed1", "pc1"):
            self.do(host, "chronyd", "-Q", "-t", 3, "-u", "root", f"server {t.HOSTS['infra'].ipv4} iburst maxsamples 1", timeout=8)

    def dhcp(self, chance):
        for pc in ("pc1", "pc2"):
            self.lease(pc)

    def lease(self, host, name=None):
        self.do(host, "busybox", "udhcpc", "-i", "eth0", "-q", "-n", "-f", "-s", self.net.work / "udhcpc.sh", "-x", f"hostname:{name or host}")

    def updates(self, chance):
        for host in ("files", "portal", "pc3"):
            self.get(host, "http://update.example/index.html")

    # Harmless news

    def unpack(self, chance):
        self.net.plug_in(t.HOSTS["newpc"])
        self.lease("newpc", "office-newpc")
        for _ in range(6):
            self.get("newpc", f"https://portal.{t.DOMAIN}/page1.html")
            self.smb("newpc", "ls; get report-001.txt /dev/null")
            self.get("newpc", "https://cloud.example/news")
            self.stop.wait(20)

    def reboot(self, chance):
        """An analyser restarts, and sends what it kept."""
        self.sources["gas2"].terminate()
        self.stop.wait(45)
        self.do("gas2", "busybox", "arping", "-U", "-c", 2, "-I", "eth0", t.HOSTS["gas2"].ipv4)
        self.source("gas2", "gas2", HUB_ORU, 1, "no")
        self.stop.wait(15)
        self.sources["gas2"].terminate()
        self.source("gas2", "gas2", HUB_ORU, 13, "no")

    def replan(self, chance):
        """A modality sends to the other reading station for the first time; a PC prints that never printed."""
        _, files = self.study("CT", "CT64", chance)
        self.store("ct64", "CT64", files, "READ1", "read1", READ1_PORT)
        self.do("pc2", "busybox", "nc", "-w", 2, t.HOSTS["printer"].ipv4, 9100, input="%!PS invented\n" * 60)
        self.get("pc2", f"http://{t.HOSTS['read1'].ipv4}:{READ1_WEB}/app/explorer.html", "-u", "reader:invented")

    def big_update(self, chance):
        for host in ("pc1", "files", "hub", "portal"):
            self.get(host, "http://update.example/kernel.deb")

    def night(self, chance):
        for host in ("files", "hub", "arch"):
            self.ssh("vault", host, "head -c 12000000 /dev/urandom")

    def cover(self, chance):
        """A busy hour: a reader opens five studies of one clinic, one after the other."""
        for uid in self.studies[-5:]:
            self.do("read2", "movescu", "-to", 6, "-S", "-aet", "READ2", "-aec", "MAINARCH", "-aem", "READ2", f"arch.{t.DOMAIN}", ARCH_PORT, "-k", "QueryRetrieveLevel=STUDY",
                    "-k", f"StudyInstanceUID={uid}")
            self.stop.wait(9)

    def emr_restart(self, chance):
        """The portal is restarted; for some seconds nobody gets through."""
        for name, process in list(self.net.services):
            if name == "nginx":
                process.terminate()
        self.stop.wait(12)
        self.net.serve("nginx2", "portal", "nginx", "-c", self.net.work / "nginx.conf", "-p", self.net.work, "-g", "daemon off;")
