"""Attacks on the hospital on paper and misconfigurations, one after the other, each with its label."""

from functools import partial

import medical_attacks as medical
import network_attacks as network

FIRST, PAUSE, LAST = 300.0, 150.0, 1500.0


def seconds():
    return FIRST + PAUSE * len(ATTACKS) + LAST


def plan(hospital, begin, end, labels):
    hospital.add("intruder", "10.9.60.150", 60, "b827eb")
    for number, attack in enumerate(ATTACKS):
        hospital.clock.at(begin + FIRST + number * PAUSE, partial(play, hospital, attack, labels))


def play(h, attack, labels, t):
    end, attackers, victims, ports, protocol = attack(h, t)
    address = lambda name: h.hosts[name].address if name in h.hosts else name
    labels.append({"name": attack.__name__.replace("_", "-"), "start": round(t, 6), "end": round(end + 0.001, 6), "attackers": [address(a) for a in attackers],
                   "victims": [address(v) for v in victims], "ports": ports, "protocol": protocol, "description": attack.__doc__})


ATTACKS = (
    network.new_device, network.arp_sweep, network.host_sweep, network.slow_port_scan, network.null_scan, medical.ae_title_guessing, medical.default_title,
    medical.query_harvest, medical.move_to_stranger, medical.bulk_retrieval, medical.rogue_store, medical.malformed_dicom, medical.association_exhaustion,
    medical.image_changed, medical.spoofed_sender, medical.replay, medical.message_flood, medical.endless_frame, medical.query_by_message,
    medical.patients_to_outside, network.beacon, network.gateway_spoofed, network.rogue_dhcp, network.name_poisoning, network.ransomware,
    network.lateral_movement, network.share_guessing, network.ssh_guessing, network.ftp_guessing, network.telnet, network.dns_tunnel, network.exfiltration,
    network.icmp_tunnel, medical.monitor_calls_home, network.weak_tls, network.path_traversal, medical.open_pacs_web, medical.engine_exploit, network.syn_flood,
    network.udp_flood, network.slow_http, network.snmp_public, network.controller_write, network.old_smb, medical.program_in_image, network.remote_desktop,
    medical.interface_refuses, medical.monitors_silent,
)
