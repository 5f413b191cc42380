"""The servers of the other hospital."""

import json

import topology as t
from network import LAB, ip, run

HERE = __import__("pathlib").Path(__file__).resolve().parent
PYTHON = ("/usr/bin/python3", "-P", "-B")
SPEAK = (*PYTHON, HERE / "speakers.py")
ARCH_PORT, TLS_PORT, SCHED_PORT, READ1_PORT, READ2_PORT, READ1_WEB = 11112, 2762, 1104, 4006, 11117, 8049
HUB_ADT, HUB_ORU, HUB_BED, EMR_PORT, LIS_PORT, HUB_WEB = 10001, 10002, 10003, 5600, 5601, 8443


def start(net, objects, patients):
    folder = net.work
    files(net, folder)
    infrastructure(net)
    archive(net)
    orthanc(net)
    objects.worklist(folder / "worklists", "SCHED", [(p, m, ae) for p, (m, ae) in zip(patients, [("CT", "CT64"), ("CR", "XR1"), ("US", "SONO")] * 20)][:16])
    net.serve("wlmscpfs", "sched", "wlmscpfs", "-dfp", folder / "worklists", SCHED_PORT)
    net.serve("storescp-tls", "arch", "storescp", "--ignore", "--fork", "-aet", "MAINARCH", "+tls", folder / "tls.key", folder / "tls.crt", "-ic", TLS_PORT)
    net.serve("read2", "read2", "storescp", "--ignore", "--fork", "-aet", "READ2", READ2_PORT)
    net.serve("hub", "hub", *SPEAK, "hub", HUB_ADT, HUB_ORU, HUB_BED, t.HOSTS["emr"].ipv4, EMR_PORT, t.HOSTS["lis"].ipv4, LIS_PORT)
    net.serve("hub-web", "hub", *SPEAK, "web", HUB_WEB, "HubAdmin")
    net.serve("emr", "emr", *SPEAK, "receive", EMR_PORT, "EMR")
    net.serve("lis", "lis", *SPEAK, "receive", LIS_PORT, "LABSYS")
    net.serve("printer", "printer", *SPEAK, "sink", 9100)
    net.serve("nginx", "portal", "nginx", "-c", folder / "nginx.conf", "-p", folder, "-g", "daemon off;")
    net.serve("mosquitto", "broker", "mosquitto", "-c", folder / "mosquitto.conf")
    net.serve("smbd", "files", "smbd", "--foreground", "--no-process-group", "--debug-stdout", f"--configfile={folder}/smb.conf")
    net.serve("vsftpd", "files", "vsftpd", folder / "vsftpd.conf")
    for host in ("printer", "watch", "files"):
        net.serve(f"snmpd-{host}", host, "snmpd", "-f", "-Lo", "-C", "-c", folder / "snmpd.conf", f"udp:{t.HOSTS[host].ipv4}:161")
    for host in ("arch", "files", "hub", "gas1", "portal"):
        net.serve(f"sshd-{host}", host, "/usr/sbin/sshd", "-D", "-e", "-f", folder / "sshd_config")
    net.serve("cloud-https", "cloud", *SPEAK, "tls", 443, folder / "tls.crt", folder / "tls.key")
    net.serve("cloud-dicom", "cloud", "storescp", "--ignore", "--fork", "-aet", "ANY", 104)
    net.serve("cloud-hl7", "cloud", *SPEAK, "receive", 2575, "CLOUD")
    for port in (515, 2049, 4444, 8080):
        net.serve(f"cloud-sink-{port}", "cloud", *SPEAK, "sink", port)
    net.serve("cloud-dns", "cloud", *SPEAK, "dns", 53)
    net.serve("updates", "updates", *SPEAK, "files", 80)
    net.serve("updates-https", "updates", *SPEAK, "tls", 443, folder / "tls.crt", folder / "tls.key")
    clinic(net)


def files(net, folder):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 900, "-subj", "/O=St Mary/CN=gateway.stmary.example", "-keyout", folder / "tls.key", "-out", folder / "tls.crt")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "host_key")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", net.home / "id")
    keys = net.home / ".ssh"
    keys.mkdir(mode=0o700)
    (keys / "authorized_keys").write_text((net.home / "id.pub").read_text())
    (keys / "authorized_keys").chmod(0o600)
    (keys / "config").write_text(f"Host *\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n IdentityFile {net.home}/id\n ConnectTimeout 5\n LogLevel ERROR\n")
    (keys / "config").chmod(0o600)
    (folder / "sshd_config").write_text(f"HostKey {folder}/host_key\nPidFile none\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication yes\nMaxAuthTries 4\nMaxStartups 100\n"
                                        f"AuthorizedKeysFile {keys}/authorized_keys\nStrictModes no\nSubsystem sftp internal-sftp\n")
    run("mkdir", "-p", "/run/sshd", check=False)
    share = folder / "share"
    share.mkdir(mode=0o777)
    for n in range(120):
        (share / f"report-{n:03}.txt").write_text(f"Invented report {n}\n" * 400)
        (share / f"report-{n:03}.txt").chmod(0o666)
    for name in ("private", "state", "cache", "lock", "ncalrpc", "pid"):
        (folder / "samba" / name).mkdir(parents=True)
    (folder / "smb.conf").write_text(f"[global]\nworkgroup=STMARY\nserver role=standalone server\nmap to guest=Bad User\nguest account=root\nprivate dir={folder}/samba/private\n"
                                     f"state directory={folder}/samba/state\ncache directory={folder}/samba/cache\nlock directory={folder}/samba/lock\n"
                                     f"ncalrpc dir={folder}/samba/ncalrpc\npid directory={folder}/samba/pid\nsmb ports=445\nload printers=no\nprinting=bsd\n"
                                     f"[docs]\npath={share}\nguest ok=yes\nread only=no\nforce user=root\n")
    (folder / "vsftpd.conf").write_text(f"listen=YES\nanonymous_enable=NO\nlocal_enable=YES\nbackground=NO\nsecure_chroot_dir={share}\nmax_per_ip=0\nseccomp_sandbox=NO\n")
    (folder / "mosquitto.conf").write_text("listener 1883\nallow_anonymous true\n")
    (folder / "snmpd.conf").write_text("rocommunity stmary-ro\nsysLocation floor 2\n")
    www = folder / "www"
    www.mkdir()
    for n in range(12):
        (www / f"page{n}.html").write_text(f"<html><body>Invented page {n}. " + "text " * (200 * (n + 1)) + "</body></html>")
    (www / "index.html").write_text("<html><body><a href=page1.html>portal</a></body></html>")
    (folder / "htpasswd").write_text("nurse:" + run("openssl", "passwd", "-apr1", "tea").stdout)
    (folder / "nginx.conf").write_text(f"""
user root; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log;
events {{ worker_connections 256; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 80; listen [::]:80; root {www}; location /staff {{ auth_basic "staff"; auth_basic_user_file {folder}/htpasswd; alias {www}; }} }}
  server {{ listen 443 ssl; listen [::]:443 ssl; ssl_certificate {folder}/tls.crt; ssl_certificate_key {folder}/tls.key; root {www}; }} }}
""")


def infrastructure(net):
    folder, infra = net.work, t.HOSTS["infra"]
    records = [f"host-record={h.name},{h.name}.{t.DOMAIN},{h.ipv4}" + (f",{h.ipv6}" if h.name == "portal" else "")
               for h in t.HOSTS.values() if h.octet and not h.latecomer and h.vlan < 900]
    (folder / "dnsmasq.conf").write_text("\n".join((
        "no-resolv", "no-hosts", f"domain={t.DOMAIN}", f"local=/{t.DOMAIN}/", f"dhcp-leasefile={folder}/leases", "dhcp-authoritative",
        "dhcp-range=set:office,172.20.24.100,172.20.24.199,255.255.255.0,20m", "dhcp-option=tag:office,option:router,172.20.24.1", f"dhcp-option=option:dns-server,{infra.ipv4}",
        *(f"dhcp-host={t.HOSTS[n].mac},{a}" for n, a in t.LEASES.items()), f"server=/tunnel.example/{t.CLOUD}", f"address=/update.example/{t.UPDATES}", f"address=/cloud.example/{t.CLOUD}",
        *records)) + "\n")
    net.serve("dnsmasq", "infra", "dnsmasq", "-k", "-C", folder / "dnsmasq.conf", "--pid-file=", "--user=root", "--log-facility=-")
    net.serve("dhcp-relay", "router", "dnsmasq", "-k", "-C", "/dev/null", "--port=0", "--pid-file=", "--user=root", "--log-facility=-", f"--dhcp-relay=172.20.24.1,{infra.ipv4}")
    (folder / "ra.conf").write_text("port=0\nenable-ra\ninterface=eth240\nno-resolv\ndhcp-range=2001:db8:40:24::,ra-only,64,10m\n")
    net.serve("ra", "router", "dnsmasq", "-k", "-C", folder / "ra.conf", "--pid-file=", "--user=root", "--log-facility=-")
    (folder / "chrony.conf").write_text(f"local stratum 8\nallow all\ncmdport 0\npidfile {folder}/chronyd.pid\nbindcmdaddress /\n")
    net.serve("chronyd", "infra", "chronyd", "-d", "-x", "-u", "root", "-f", folder / "chrony.conf")
    (folder / "udhcpc.sh").write_text('#!/bin/sh\n[ "$1" = bound ] || [ "$1" = renew ] || exit 0\nip addr flush dev "$interface" scope global\nip addr add "$ip/$mask" dev "$interface"\n'
                                      'ip route replace default via "$router"\n')
    (folder / "udhcpc.sh").chmod(0o755)


def archive(net):
    store = net.work / "archive"
    store.mkdir()
    peers = [("CT64", "ct64"), ("XR1", "xr1"), ("XR2", "xr2"), ("SONO", "sono"), ("READ1", "read1", READ1_PORT), ("READ2", "read2", READ2_PORT), ("CLINIC_US", "clinic"),
             ("FLOAT9", "rogue", READ2_PORT)]
    lines = [f"NetworkTCPPort = {ARCH_PORT}", "MaxPDUSize = 16384", "MaxAssociations = 20", "HostTable BEGIN"]
    lines += [f"{p[0].lower()} = ({p[0]}, {t.address(p[1])}, {p[2] if len(p) > 2 else 11112})" for p in peers]
    lines += [f"peers = {', '.join(p[0].lower() for p in peers)}", "HostTable END", "VendorTable BEGIN", "VendorTable END", "AETable BEGIN",
              f"MAINARCH {store} RW (500, 1024mb) ANY", "AETable END", ""]
    (net.work / "dcmqrscp.cfg").write_text("\n".join(lines))
    net.serve("dcmqrscp", "arch", "dcmqrscp", "-c", net.work / "dcmqrscp.cfg")


def orthanc(net):
    storage = net.work / "orthanc"
    storage.mkdir()
    allow = {f"Allow{what}": True for what in ("Echo", "Find", "Get", "Move", "Store")}
    (net.work / "orthanc.json").write_text(json.dumps({
        "Name": "READ1", "StorageDirectory": str(storage), "IndexDirectory": str(storage), "DicomAet": "READ1", "DicomPort": READ1_PORT, "DicomCheckCalledAet": False,
        "DicomAlwaysAllowEcho": True, "DicomAlwaysAllowStore": True, "DicomModalities": {"arch": {"AET": "MAINARCH", "Host": t.HOSTS["arch"].ipv4, "Port": ARCH_PORT, **allow}},
        "HttpPort": READ1_WEB, "RemoteAccessAllowed": True, "AuthenticationEnabled": True, "RegisteredUsers": {"reader": "invented"}, "Plugins": [], "SaveJobs": False,
        "SynchronousCMove": True, "StableAge": 5, "UnknownSopClassAccepted": True, "OverwriteInstances": True}))
    net.serve("orthanc", "read1", "Orthanc", net.work / "orthanc.json")


def clinic(net):
    """Two devices behind address translation: the mirror sees one address."""
    ip("netns", "add", "behind")
    ip("link", "add", "in0", "netns", "clinic", "type", "veth", "peer", "name", "eth0", "netns", "behind")
    for netns, device, address in (("clinic", "in0", "10.0.0.1/24"), ("behind", "eth0", "10.0.0.7/24")):
        ip("addr", "add", address, "dev", device, netns=netns)
        ip("link", "set", device, "up", netns=netns)
    ip("link", "set", "lo", "up", netns="behind")
    ip("route", "add", "default", "via", "10.0.0.1", netns="behind")
    run(*net.inside("clinic"), "sysctl", "-qw", "net.ipv4.ip_forward=1")
    run(*net.inside("clinic"), "nft", "-f", "-", input="table ip nat { chain post { type nat hook postrouting priority 100; oifname eth0 masquerade; }; }")
