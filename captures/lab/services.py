"""The servers of the hospital, each on its host."""

import json

import topology as t
from network import LAB, run

PYTHON = ("/usr/bin/python3", "-B")
IPV6_NAMES = ("infra", "engine", "ehr", "billing")  # those whose programs listen on IPv6 too; clients prefer it


def start(net, objects, patients):
    folder = net.work
    _keys(net)
    _infrastructure(net)
    _orthanc(net, "pacs", t.PACS_PORT, remote={
        "CT_ER1": "ct1", "MR_MAIN": ("mr1", t.MR_PORT), "US_CART1": "us1", "CR_ROOM2": "cr1", "LTARCHIVE": ("archive", t.ARCHIVE_PORT),
        "WS_RAD1": ("ws1", t.WORKSTATION_PORT), "WS_RAD2": ("ws2", t.WORKSTATION_PORT),
        "OLD_WS3": ("10.20.30.166", t.WORKSTATION_PORT)})  # a workstation that left years ago and was never removed
    _orthanc(net, "mr1", t.MR_PORT, remote={"HOSPPACS": ("pacs", t.PACS_PORT)})
    _archive(net)
    for host in ("ws1", "ws2"):
        net.serve(f"storescp-{host}", host, "storescp", "--ignore", "--fork", "-aet", t.AE_TITLES[host], t.WORKSTATION_PORT)
    net.serve("dose", "ris", "storescp", "--ignore", "--fork", "-aet", "DOSECOLL", t.DOSE_PORT)
    entries = [(p, modality, t.AE_TITLES[host]) for p, (modality, host) in
               zip(patients, [("CT", "ct1"), ("MR", "mr1"), ("US", "us1"), ("CR", "cr1")] * len(patients))]
    objects.worklist(folder / "worklists", "RISWL", entries[:16])
    net.serve("wlmscpfs", "ris", "wlmscpfs", "-dfp", folder / "worklists", t.WORKLIST_PORT)
    net.serve("mpps", "ris", *PYTHON, LAB / "mpps.py", "serve", t.MPPS_PORT)
    for host, port, style, application in (("ehr", t.EHR_PORT, "bare-end", "EHR"), ("ehr", t.EHR_PORT + 10, "enhanced", "EHR"),
                                           ("billing", t.BILLING_PORT, "again", "BILL"), ("ris", t.RIS_HL7_PORT, "one", "RIS"),
                                           ("lis", t.LIS_PORT, "plain", "LIS")):
        net.serve(f"mllp-{host}-{port}", host, *PYTHON, LAB / "mllp_server.py", port, style, application)
    net.serve("engine", "engine", *PYTHON, LAB / "hl7_engine.py")
    for host in ("pacs", "engine", "chem"):
        net.serve(f"ssh-{host}", host, "dropbear", "-F", "-E", "-P", folder / f"dropbear-{host}.pid", "-r", folder / "ssh_host_key", "-p", 22)
    net.serve("telnet", "hema", *PYTHON, LAB / "telnet_login.py", t.TELNET_PORT)


def start_internet(net):
    net.serve("cloud-dicom", "internet", "storescp", "--ignore", "--fork", "-aet", "CLOUDPACS", t.PACS_PORT)
    net.serve("cloud-hl7", "internet", *PYTHON, LAB / "mllp_server.py", t.HL7_ADT_PORT, "plain", "CLOUD")


def start_sources(net, seed):
    """The systems that talk by themselves; started when the recording runs, so that their connections are seen from the start."""
    for system, host in (("his", "his"), ("orders", "his"), ("lis", "lis"), ("chem", "chem"), ("hema", "hema"), ("monitors", "monitors")):
        net.serve(f"hl7-{system}", host, *PYTHON, LAB / "hl7_source.py", system, seed)


def _keys(net):
    folder = net.work
    run("dropbearkey", "-t", "ed25519", "-f", folder / "ssh_host_key")
    run("dropbearkey", "-t", "ed25519", "-f", folder / "ssh_user_key")
    public = run("dropbearkey", "-y", "-f", folder / "ssh_user_key").stdout
    keys = net.home / ".ssh"
    keys.mkdir(mode=0o700)
    (keys / "authorized_keys").write_text(next(line for line in public.splitlines() if line.startswith("ssh-")) + "\n")
    (keys / "authorized_keys").chmod(0o600)
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 3650, "-subj", f"/O=Invented General Hospital/CN=archive.{t.DOMAIN}",
        "-keyout", folder / "tls.key", "-out", folder / "tls.crt")


def _infrastructure(net):
    folder, infra = net.work, t.HOSTS["infra"]
    records = []
    for host in t.HOSTS.values():
        if host.octet and not host.latecomer and host.vlan != 99:
            address = f"{host.ipv4},{host.ipv6}" if host.ipv6 and host.name in IPV6_NAMES else host.ipv4
            names = ",".join(n for name in (host.name, *host.aliases) for n in (name, f"{name}.{t.DOMAIN}"))
            records.append(f"host-record={names},{address}")
    (folder / "dnsmasq.conf").write_text("\n".join((
        "no-resolv", "no-hosts", f"domain={t.DOMAIN}", f"local=/{t.DOMAIN}/", "expand-hosts", f"dhcp-leasefile={folder}/leases", "dhcp-authoritative",
        "dhcp-range=set:clinical,10.20.30.150,10.20.30.199,255.255.255.0,12h", "dhcp-option=tag:clinical,option:router,10.20.30.1",
        f"dhcp-option=option:dns-server,{infra.ipv4}", f"dhcp-host={t.HOSTS['webpc'].mac},10.20.30.31",
        f"dhcp-host={t.HOSTS['intruder'].mac},10.20.30.166", *records)) + "\n")
    net.serve("dnsmasq", "infra", "dnsmasq", "-k", "-C", folder / "dnsmasq.conf", "--pid-file=", "--user=root", "--log-facility=-")
    net.serve("dhcp-relay", "router", "dnsmasq", "-k", "-C", "/dev/null", "--port=0", "--pid-file=", "--user=root", "--log-facility=-",
              f"--dhcp-relay=10.20.30.1,{infra.ipv4}")
    (folder / "chrony.conf").write_text(f"local stratum 8\nallow all\ncmdport 0\npidfile {folder}/chronyd.pid\nbindcmdaddress /\n")
    net.serve("chronyd", "infra", "chronyd", "-d", "-x", "-u", "root", "-f", folder / "chrony.conf")
    (folder / "udhcpc.sh").write_text("""#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip addr flush dev "$interface"
ip addr add "$ip/$mask" dev "$interface"
ip route replace default via "$router"
""")
    (folder / "udhcpc.sh").chmod(0o755)


def _orthanc(net, host, port, remote):
    allow = {f"Allow{what}": True for what in ("Echo", "Find", "FindWorklist", "Get", "Move", "Store", "StorageCommitment")}
    allow.pop("AllowFindWorklist")
    modalities = {}
    for title, place in remote.items():
        address, number = place if isinstance(place, tuple) else (place, 11112)
        modalities[title] = {"AET": title, "Host": address, "Port": number, "Manufacturer": "Generic", **allow}
    storage = net.work / f"orthanc-{host}"
    storage.mkdir()
    configuration = {
        "Name": t.AE_TITLES[host], "StorageDirectory": str(storage), "IndexDirectory": str(storage), "DicomAet": t.AE_TITLES[host], "DicomPort": port,
        "DicomCheckCalledAet": True, "DicomAlwaysAllowEcho": True, "DicomAlwaysAllowStore": True, "DicomModalities": modalities,
        "HttpPort": t.PACS_REST_PORT, "RemoteAccessAllowed": host == "pacs", "AuthenticationEnabled": False, "Plugins": [], "SaveJobs": False,
        "SynchronousCMove": True, "StableAge": 5, "HttpThreadsCount": 5, "UnknownSopClassAccepted": True, "OverwriteInstances": True}
    path = net.work / f"orthanc-{host}.json"
    path.write_text(json.dumps(configuration, indent=1))
    net.serve(f"orthanc-{host}", host, "Orthanc", path)


def _archive(net):
    store = net.work / "archive"
    store.mkdir()
    peers = [("CT_ER1", "ct1", 11112), ("HOSPPACS", "pacs", t.PACS_PORT), ("WS_RAD1", "ws1", t.WORKSTATION_PORT), ("WS_RAD2", "ws2", t.WORKSTATION_PORT)]
    lines = [f"NetworkTCPPort = {t.ARCHIVE_PORT}", "MaxPDUSize = 65536", "MaxAssociations = 16", "HostTable BEGIN"]
    lines += [f"{title.lower()} = ({title}, {host}, {port})" for title, host, port in peers]
    lines += [f"peers = {', '.join(title.lower() for title, _, _ in peers)}", "HostTable END", "VendorTable BEGIN", "VendorTable END", "AETable BEGIN",
              f"LTARCHIVE {store} RW (500, 1024mb) peers", "AETable END", ""]
    (net.work / "dcmqrscp.cfg").write_text("\n".join(lines))
    net.serve("dcmqrscp", "archive", "dcmqrscp", "-c", net.work / "dcmqrscp.cfg")
    net.serve("storescp-tls", "archive", "storescp", "--ignore", "--fork", "-aet", "LTARCHIVE", "+tls", net.work / "tls.key", net.work / "tls.crt",
              "+cf", net.work / "tls.crt", t.ARCHIVE_TLS_PORT)
