"""HL7 v2 messages of an invented hospital, as bytes without the MLLP frame."""

import base64
import itertools
import random
import time

UDI = "(01)00643169007222(11)251230(17)301230(10)LOTX1(21)DRG77120"


class Messages:
    """Messages of one sending application; control ids count up."""

    def __init__(self, application, facility, receiver, receiving_facility, seed, charset="", encoding="iso-8859-1", version="2.5", accept=""):
        self.sender, self.receiver = (application, facility), (receiver, receiving_facility)
        self.charset, self.encoding, self.version, self.accept = charset, encoding, version, accept
        self.chance = random.Random(f"{seed}/{application}/{receiver}")
        self.numbers = itertools.count(self.chance.randrange(100000, 900000))

    def header(self, kind):
        accept = f"{self.accept}|AL" if self.accept else "|"
        return (f"MSH|^~\\&|{self.sender[0]}|{self.sender[1]}|{self.receiver[0]}|{self.receiver[1]}|{time.strftime('%Y%m%d%H%M%S')}||{kind}|"
                f"{self.sender[0]}{next(self.numbers)}|P|{self.version}|||{accept}||{self.charset}")

    def encode(self, *segments, separator="\r"):
        return (separator.join(segments) + separator).encode(self.encoding, "replace")

    @staticmethod
    def pid(p):
        return f"PID|1||{p.id}^^^IGH^MR||{p.family}^{p.given}||{p.birth_date}|{p.sex}|||12 Invented Row^^Nowhere^^00000||{p.phone}"

    def pv1(self):
        c = self.chance
        return f"PV1|1|I|W{c.randrange(1, 9)}^{c.randrange(100, 130)}^{c.choice('AB')}|U|||1234^Attend^Ing^^^^MD|||MED||||1|||||VN{c.randrange(10**6):06d}"

    def adt(self, p, event="A08"):
        structure = {"A04": "ADT_A01", "A08": "ADT_A01", "A13": "ADT_A01"}.get(event, f"ADT_{event}")
        segments = [self.header(f"ADT^{event}^{structure}"), f"EVN|{event}|{time.strftime('%Y%m%d%H%M%S')}", self.pid(p)]
        segments.append(f"MRG|{p.id}X^^^IGH^MR" if event == "A40" else self.pv1())
        if event in ("A01", "A04"):
            segments += [f"NK1|1|{p.family}^Next|SPO||{p.phone}", "AL1|1|DA|1545^Invented allergen|SV|rash", f"DG1|1||R07^{p.finding}"]
        return self.encode(*segments)

    def order(self, p, code="CTHEAD^CT head"):
        n = self.chance.randrange(10**6)
        return self.encode(self.header("ORM^O01"), self.pid(p), self.pv1(), f"ORC|NW|P{n}|F{n}||SC||^^^{time.strftime('%Y%m%d%H%M')}^^R",
                           f"OBR|1|P{n}|F{n}|{code}|||{time.strftime('%Y%m%d%H%M')}||||||{p.finding}|||1234^Attend^Ing||{p.accession}")

    def schedule(self, p):
        n = self.chance.randrange(10**6)
        return self.encode(self.header("SIU^S12^SIU_S12"), f"SCH|{n}|{n}||||ROUTINE|{p.finding}|||20|MIN", self.pid(p), "RGS|1|A", "AIL|1|A|CT1^ER")

    def result(self, p, tests=("NA^Sodium^mmol/L^140", "K^Potassium^mmol/L^4", "CREA^Creatinine^umol/L^80"), device=""):
        n = self.chance.randrange(10**6)
        segments = [self.header("ORU^R01^ORU_R01"), self.pid(p), self.pv1(), f"OBR|1|P{n}|F{n}|PANEL^Panel|||{time.strftime('%Y%m%d%H%M%S')}"]
        for i, test in enumerate(tests, 1):
            code, name, unit, mean = test.split("^")
            value = float(mean) * self.chance.uniform(0.85, 1.15)
            segments.append(f"OBX|{i}|NM|{code}^{name}||{value:.1f}|{unit}|||||F|||{time.strftime('%Y%m%d%H%M%S')}")
        segments.append(f"NTE|1|L|Verified \\T\\ released: {p.finding} \\.br\\ \\S\\ repeat if needed")
        if device:
            segments.append(f"PRT|P1|AD||EQUIP|||||||{device}^^{UDI}")
        return self.encode(*segments)

    def monitor(self, p, bed):
        vitals = ("HR^Heart rate^/min^78", "SPO2^Oxygen saturation^%^96", "RESP^Respiration^/min^15", "NIBPS^Systolic^mm[Hg]^122", "TEMP^Temperature^Cel^37")
        return self.result(p, vitals, device=f"{bed}^DRAEGER-LAB^0030E6FFFE15B0{bed}^EUI-64")

    def report(self, p, size=80_000):
        """A document as base64 in one OBX: tens of kilobytes in one segment."""
        document = base64.b64encode(self.chance.randbytes(size * 3 // 4)).decode()
        return self.encode(self.header("MDM^T02^MDM_T02"), f"EVN|T02|{time.strftime('%Y%m%d%H%M%S')}", self.pid(p), self.pv1(),
                           f"TXA|1|CN|AP|{time.strftime('%Y%m%d%H%M%S')}|||||||{self.chance.randrange(10**9)}||||{p.finding}||AU",
                           f"OBX|1|ED|PDF^Report||^application^pdf^Base64^{document}||||||F")

    def batch(self, patients):
        """FHS and BHS batch of results in one MLLP frame."""
        head = "|".join(("^~\\&", *self.sender, *self.receiver, time.strftime("%Y%m%d%H%M%S")))
        messages = b"".join(self.result(p) for p in patients)
        return f"FHS|{head}\rBHS|{head}\r".encode() + messages + f"BTS|{len(patients)}\rFTS|1\r".encode()


def frame(message):
    """The MLLP block of one message (HL7 Transport: MLLP release 1)."""
    return b"\x0b" + message + b"\x1c\r"
