"""What is new in a hospital and harmless: a sensor may tell the first ones once, and should tell few."""

from functools import partial

import speech
from day import IMAGERS
from wire import CLIENT, SERVER, Connection, Host


def plan(hospital, begin, end, labels):
    """Spreads the news over the time, and says in labels what it was (no label of an attack)."""
    at = hospital.clock.at
    step = (end - begin) / 11
    for number, item in enumerate((new_pc, recovered_analyzer, other_station, first_print, update_day, new_site, replaced_bed, busy_emergency, second_opinion, restarted_pacs)):
        at(begin + step * (number + 0.7), partial(item, hospital))


def new_pc(h, t):
    """A PC is unpacked and works as the others do."""
    h.add("pc90", "10.9.60.90", 60, "8cdcd4")
    h.log_on(t, "pc90")
    h.arps(t + 1, "pc90")
    h.clock.every(t + 5, t + 1800, h.exponential(70), partial(h.office, pc="pc90"))


def recovered_analyzer(h, t):
    """An analyser was off for ten minutes and sends what it kept, on one connection."""
    link = h.open(t, "hema", "lis", 7001)
    for n in range(90):
        link.talk(speech.astm((f"H|\\^&|||HEMA^2.1|||||||P|LIS2-A2|{speech.stamp(t - 600 + n * 6)}", f"O|1|K{n}||^^^CBC", *(f"R|{k}|^^^T{k}|{n}.{k}|U/L" for k in range(1, 9)), "L|1|N")))
    link.close()


def other_station(h, t):
    """The ultrasound of the ward sends to a reading room, as is done when the archive is slow."""
    device, sop_class, _, size = IMAGERS["us1"]
    h.send_images(t, "us1", "read1", 4104, device[3], "READ1", sop_class, h.uid(), h.patient(), device, 4, size)


def first_print(h, t):
    """The administrator's PC prints for the first time, and a reading room does."""
    h.printed(t, "pc00")
    h.printed(t + 30, "read2")


def update_day(h, t):
    """Twelve PCs fetch an update from the server inside."""
    for n in range(12):
        link = h.open(t + n * 15, f"pc{n:02d}", "updates", 8530)
        link.send(CLIENT, speech.request("GET", f"/Content/{n:02X}/update.cab", "updates.paper.example:8530", "Windows-Update-Agent/10.0"))
        link.send(SERVER, speech.reply("200 OK", h.network.noise(900_000), "application/octet-stream"), 0.05).close()


def new_site(h, t):
    """Everybody reads one new page outside."""
    for n in range(1, 20):
        h.network.dns(t + n * 7, h.hosts[f"pc{n:02d}"], h.hosts["dc"], "www.canteen.example", "203.0.113.77")
        h.open(t + n * 7 + 0.1, f"pc{n:02d}", "203.0.113.77", 443).talk(speech.tls(h.network, "www.canteen.example", 900, 30000)).close()


def replaced_bed(h, t):
    """A bedside monitor of the same make takes the place of another, with its address."""
    old = h.hosts["bed07"]
    h.hosts["bed07"] = Host("bed07", old.address, old.mac[:3] + b"\x77\x01\x02", old.vlan)
    h.arps(t, "bed07")


def busy_emergency(h, t):
    """Six examinations of the CT in half an hour, with larger series."""
    for n in range(6):
        h.clock.at(t + n * 300, lambda t: h.examination(t, "ct", images=90))


def second_opinion(h, t):
    """A radiologist fetches a dozen old studies of one patient list for a conference."""
    h.clock.at(t, lambda t: h.reading(t, "read3", studies=12))


def restarted_pacs(h, t):
    """Ninety seconds without the archive: connections are refused, then the modalities catch up."""
    for n, name in enumerate(("ct", "mr", "us2")):
        for attempt in range(3):
            Connection(h.network, t + n * 4 + attempt * 25, h.hosts[name], h.hosts["pacs"], 104).refused()
        h.clock.at(t + 95 + n * 3, partial(h.examination, name=name))
