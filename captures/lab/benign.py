"""What a quiet day looks like: every task has a host, a period, and a first time within the first minutes."""

import json
import random
import threading

import topology as t
from dicom_objects import STUDY_DATE
from network import LAB
from services import PYTHON

REST = f"http://pacs:{t.PACS_REST_PORT}"
JITTER = 0.25
CONNECT = ("--max-time", "20", "-s", "-o", "/dev/null")


class Day:
    def __init__(self, net, objects, patients, seed):
        self.net, self.objects, self.patients, self.seed = net, objects, patients, seed
        self.stop = threading.Event()
        self.studies = []       # (study UID, patient) that the PACS holds
        self.lock = threading.Lock()
        self.threads = []

    # The table of rhythms: task, period in seconds, first time in seconds

    def tasks(self):
        return (
            (self.dhcp, 10_000, 2), (self.ct_study, 130, 8), (self.mr_study, 170, 25), (self.us_study, 150, 40), (self.cr_study, 140, 55),
            (self.echo("ct1", "pacs"), 45, 5), (self.mr_echo, 60, 12), (self.echo("us1", "pacs"), 70, 20), (self.echo("ws1", "pacs"), 60, 30),
            (self.echo("ws1", "archive"), 120, 33), (self.echo("ws2", "pacs"), 75, 36), (self.echo("ws2", "archive"), 150, 38),
            (self.worklist("ct1"), 30, 6), (self.worklist("us1"), 50, 15), (self.worklist("mr1"), 60, 18), (self.worklist("cr1"), 40, 22),
            (self.ws1_find, 35, 45), (self.ws2_find, 55, 50), (self.ws1_move, 110, 70), (self.ws2_move, 150, 85), (self.ws1_get, 160, 95),
            (self.todays_list, 100, 65), (self.impatient_echo, 280, 68), (self.archive_study, 120, 60), (self.ws1_archive_get, 200, 110), (self.ws2_archive_find, 130, 75), (self.ws1_archive_move, 220, 130),
            (self.rest, 35, 28), (self.ntp("pacs"), 64, 10), (self.ntp("ehr"), 64, 17), (self.ntp("ws1"), 128, 26), (self.ntp("ct1"), 128, 29),
            (self.ssh("pacs"), 90, 35), (self.ssh("engine"), 120, 48), (self.ping, 60, 9), (self.telnet, 240, 100),
        )

    def start(self):
        for task, period, first in self.tasks():
            name = task.__name__
            thread = threading.Thread(target=self._repeat, args=(task, period, first, random.Random(f"{self.seed}/{name}/{first}")), daemon=True)
            thread.start()
            self.threads.append(thread)

    def finish(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)

    def _repeat(self, task, period, first, chance):
        wait = first * chance.uniform(0.9, 1.1)
        while not self.stop.wait(wait):
            try:
                task(chance)
            except Exception as error:  # one failed errand must not end the day
                self.net.say(f"{task.__name__}: {error!r}")
            wait = period * chance.uniform(1 - JITTER, 1 + JITTER)

    # Imaging

    def echo(self, client, server):
        port = {"pacs": t.PACS_PORT, "archive": t.ARCHIVE_PORT}[server]

        def echo_(_):
            self.net.do(client, "echoscu", "-to", 5, "-aet", t.AE_TITLES[client], "-aec", t.AE_TITLES[server], server, port)
        return echo_

    def mr_echo(self, _):
        self.net.do("mr1", "dicom_echo", "-a", "MR_MAIN", "-c", "HOSPPACS", "pacs", t.PACS_PORT)

    def worklist(self, client):
        modality = {"ct1": "CT", "us1": "US", "cr1": "CR", "mr1": "MR"}[client]

        def worklist_(_):
            self.net.do(client, "findscu", "-to", 5, "-W", "-aet", t.AE_TITLES[client], "-aec", "RISWL", "ris", t.WORKLIST_PORT,
                        "-k", f"ScheduledProcedureStepSequence[0].Modality={modality}", "-k", "ScheduledProcedureStepSequence[0].ScheduledStationAETitle",
                        "-k", "ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate", "-k", "PatientName", "-k", "PatientID",
                        "-k", "AccessionNumber", "-k", "StudyInstanceUID", "-k", "RequestedProcedureID")
        return worklist_

    def study(self, modality, host, chance):
        patient = chance.choice(self.patients)
        with self.lock:
            return patient, *self.objects.study(modality, patient, t.AE_TITLES[host])

    def stored(self, uid, patient):
        with self.lock:
            self.studies.append((uid, patient))

    def performed(self, host, modality, uid, patient):
        with self.lock:
            step = self.objects.uid()
        thread = threading.Thread(target=self.net.do, args=(host, *PYTHON, LAB / "mpps.py", "step", "ris", t.MPPS_PORT, t.AE_TITLES[host], "RISWL",
                                                            step, modality, uid, patient.id), daemon=True)
        thread.start()

    def ct_study(self, chance):
        patient, uid, files = self.study("CT", "ct1", chance)
        self.performed("ct1", "CT", uid, patient)
        self.net.do("ct1", "storescu", "-to", 5, "-R", "-aet", "CT_ER1", "-aec", "HOSPPACS", "pacs", t.PACS_PORT, *files)
        self.net.do("ct1", "storescu", "-to", 5, "-R", "-pdu", 32768, "-aet", "CT_ER1", "-aec", "DOSECOLL", "ris", t.DOSE_PORT, files[0])
        self.stored(uid, patient)

    def mr_study(self, chance):
        """The MR console is an Orthanc: it stores with storage commitment, and the PACS reports on an association of its own."""
        patient, uid, files = self.study("MR", "mr1", chance)
        for file in files:
            result = self.net.do("mr1", "curl", "-s", "--max-time", 20, "--data-binary", f"@{file}", f"http://127.0.0.1:{t.PACS_REST_PORT}/instances")
        parent = json.loads(result.stdout)["ParentStudy"]
        self.net.do("mr1", "curl", *CONNECT, "-d", json.dumps({"Resources": [parent], "StorageCommitment": True}),
                    f"http://127.0.0.1:{t.PACS_REST_PORT}/modalities/HOSPPACS/store")
        self.performed("mr1", "MR", uid, patient)
        self.stored(uid, patient)

    def us_study(self, chance):
        patient, uid, files = self.study("US", "us1", chance)
        self.net.do("us1", "storescu", "-to", 5, "-xy", "-aet", "US_CART1", "-aec", "HOSPPACS", "pacs", t.PACS_PORT, *files)
        self.stored(uid, patient)

    def cr_study(self, chance):
        """CTN's sender to the PACS, dcmtk's over TLS to the archive."""
        patient, uid, files = self.study("CR", "cr1", chance)
        self.net.do("cr1", "send_image", "-q", "-a", "CR_ROOM2", "-c", "HOSPPACS", "pacs", t.PACS_PORT, *files)
        tls = (self.net.work / "tls.key", self.net.work / "tls.crt")
        self.net.do("cr1", "storescu", "-to", 5, "-R", "+tls", *tls, "+cf", tls[1], "-aet", "CR_ROOM2", "-aec", "LTARCHIVE", "archive",
                    t.ARCHIVE_TLS_PORT, files[0])
        self.stored(uid, patient)

    def archive_study(self, chance):
        """The PACS passes a study on to the archive."""
        found = self.net.do("pacs", "curl", "-s", "--max-time", 20, f"http://127.0.0.1:{t.PACS_REST_PORT}/studies")
        studies = json.loads(found.stdout)
        if studies:
            self.net.do("pacs", "curl", *CONNECT, "-d", chance.choice(studies), f"http://127.0.0.1:{t.PACS_REST_PORT}/modalities/LTARCHIVE/store")

    # Reading

    def any_study(self, chance):
        with self.lock:
            return chance.choice(self.studies) if self.studies else None

    def ws1_find(self, chance):
        patient = chance.choice(self.patients)
        self.net.do("ws1", "findscu", "-to", 5, "-S", "-aet", "WS_RAD1", "-aec", "HOSPPACS", "pacs", t.PACS_PORT, "-k", "QueryRetrieveLevel=STUDY",
                    "-k", f"PatientID={patient.id}", "-k", "StudyInstanceUID", "-k", "StudyDate", "-k", "ModalitiesInStudy", "-k", "PatientName")

    def todays_list(self, _):
        """Everything of the day; the reader stops it after a few lines (C-CANCEL)."""
        self.net.do("ws1", "findscu", "-to", 5, "-S", "--cancel", 2, "-aet", "WS_RAD1", "-aec", "HOSPPACS", "pacs", t.PACS_PORT,
                    "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyDate={STUDY_DATE}", "-k", "PatientName", "-k", "StudyInstanceUID", "-k", "ModalitiesInStudy")

    def impatient_echo(self, _):
        self.net.do("us1", "echoscu", "-to", 5, "--abort", "-aet", "US_CART1", "-aec", "HOSPPACS", "pacs", t.PACS_PORT)

    def ws2_find(self, chance):
        patient = chance.choice(self.patients)
        self.net.do("ws2", "findscu", "-to", 5, "-S", "-xi", "-aet", "WS_RAD2", "-aec", "HOSPPACS", "pacs", t.PACS_PORT, "-k", "QueryRetrieveLevel=STUDY",
                    "-k", f"AccessionNumber={patient.accession}", "-k", "StudyInstanceUID", "-k", "PatientID", "-k", "StudyDate")

    def move(self, client, server, port, chance):
        if study := self.any_study(chance):
            self.net.do(client, "movescu", "-to", 5, "-S", "-aet", t.AE_TITLES[client], "-aec", t.AE_TITLES[server], "-aem", t.AE_TITLES[client], server, port,
                        "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study[0]}")

    def ws1_move(self, chance):
        self.move("ws1", "pacs", t.PACS_PORT, chance)

    def ws2_move(self, chance):
        self.move("ws2", "pacs", t.PACS_PORT, chance)

    def ws1_archive_move(self, chance):
        self.move("ws1", "archive", t.ARCHIVE_PORT, chance)

    def get(self, server, port, chance):
        if study := self.any_study(chance):
            folder = self.net.work / "got"
            folder.mkdir(exist_ok=True)
            self.net.do("ws1", "getscu", "-to", 5, "-S", "-aet", "WS_RAD1", "-aec", t.AE_TITLES[server], "-od", folder, server, port,
                        "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study[0]}")

    def ws1_get(self, chance):
        self.get("pacs", t.PACS_PORT, chance)

    def ws1_archive_get(self, chance):
        self.get("archive", t.ARCHIVE_PORT, chance)

    def ws2_archive_find(self, chance):
        patient = chance.choice(self.patients)
        self.net.do("ws2", "findscu", "-to", 5, "-P", "-aet", "WS_RAD2", "-aec", "LTARCHIVE", "archive", t.ARCHIVE_PORT, "-k", "QueryRetrieveLevel=PATIENT",
                    "-k", f"PatientID={patient.id}", "-k", "PatientName")

    def rest(self, chance):
        """The browser of a ward: the PACS's web interface."""
        for path in ("/system", "/statistics"):
            self.net.do("webpc", "curl", *CONNECT, REST + path)
        if study := self.any_study(chance):
            query = json.dumps({"Level": "Instance", "Query": {"StudyInstanceUID": study[0]}, "Limit": 3})
            found = self.net.do("webpc", "curl", "-s", "--max-time", 20, "-d", query, f"{REST}/tools/find")
            for instance in json.loads(found.stdout)[:1]:
                self.net.do("webpc", "curl", *CONNECT, f"{REST}/instances/{instance}/preview")

    # Background

    def dhcp(self, _):
        self.net.do("webpc", "busybox", "udhcpc", "-i", "eth0", "-q", "-n", "-f", "-s", self.net.work / "udhcpc.sh", "-x", "hostname:webpc")

    def ntp(self, client):
        def ntp_(_):
            self.net.do(client, "chronyd", "-Q", "-t", 6, "-u", "root", "-f", "/dev/null", f"pidfile {self.net.work}/ntp-{client}.pid", "cmdport 0",
                        "bindcmdaddress /", "server ntp iburst")
        return ntp_

    def ssh(self, server):
        def ssh_(_):
            self.net.do("admin", "dbclient", "-y", "-y", "-i", self.net.work / "ssh_user_key", f"root@{server}", "cat /proc/loadavg; sleep 1; ls -l /proc")
        return ssh_

    def ping(self, _):
        for host in ("pacs", "archive", "engine", "ct1", "lis"):
            self.net.do("admin", "busybox", "ping", "-c", 2, "-w", 4, host)
        self.net.do("admin", "busybox", "ping", "-6", "-c", 2, "-w", 4, t.HOSTS["ehr"].ipv6)

    def telnet(self, _):
        """The engineer's look at the analyser's console."""
        self.net.do("admin", "timeout", 4, "busybox", "telnet", "hema", t.TELNET_PORT, input="service\nwrong\n")
