"""Directory, broker, controller, remote procedures and databases: each a real server with its usual client."""

import contextlib
import os
import pathlib
import time

from fileserver import SERVER, run, start

SLAPD = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {work}/slapd.pid
TLSCertificateFile {work}/cert.pem
TLSCertificateKeyFile {work}/key.pem
database mdb
suffix "dc=clinic,dc=example"
rootdn "cn=admin,dc=clinic,dc=example"
rootpw Lab-Only-7
directory {work}/ldap
"""

ENTRIES = "dn: dc=clinic,dc=example\nobjectClass: domain\ndc: clinic\n\ndn: ou=devices,dc=clinic,dc=example\nobjectClass: organizationalUnit\nou: devices\n\n" + "".join(
    f"dn: cn=pump{n:02},ou=devices,dc=clinic,dc=example\nobjectClass: device\ncn: pump{n:02}\n\n" for n in range(12))

CONTROLLER = """
from pymodbus.server import StartTcpServer
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusSlaveContext, ModbusServerContext
block = lambda: ModbusSequentialDataBlock(0, [17] * 100)
names = ModbusDeviceIdentification()
names.VendorName, names.ProductCode, names.MajorMinorRevision, names.ModelName = 'Lab Controls', 'LC', '2.4', 'Chiller 9'
StartTcpServer(context=ModbusServerContext(slaves=ModbusSlaveContext(di=block(), co=block(), hr=block(), ir=block()), single=True), identity=names, address=('0.0.0.0', 502))
"""

OPERATOR = """
from pymodbus.client import ModbusTcpClient
from pymodbus.mei_message import ReadDeviceInformationRequest
client = ModbusTcpClient('{server}')
client.connect()
client.execute(ReadDeviceInformationRequest())
for _ in range(10):
    client.read_holding_registers(0, 8)
client.write_register(3, 21)
client.read_holding_registers(500, 8)
client.close()
"""

PRINT = """
import socket
printer = socket.create_connection(('{server}', 515))
printer.sendall(b'\\x02ward\\n')
printer.recv(1)
printer.close()
"""

PRINTER = """
import socket
door = socket.create_server(('0.0.0.0', 515))
while True:
    caller, _ = door.accept()
    caller.recv(100)
    caller.sendall(b'\\0')
    caller.close()
"""


def python(script, host, wait=False):
    if wait:
        return run("/usr/bin/python3 -", host, text=script)
    file = pathlib.Path(os.environ["TMPDIR"], f"{abs(hash(script))}.py")
    file.write_text(script)
    return start(f"/usr/bin/python3 {file}", host)


@contextlib.contextmanager
def servers(work):
    run(f"rm -rf {work}/*")
    for folder in ("ldap", "maria", "postgres"):
        pathlib.Path(work, folder).mkdir()
    run(f"cd {work} && openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 1 -subj /CN=files01", check=True)
    pathlib.Path(work, "slapd.conf").write_text(SLAPD.format(work=work))
    pathlib.Path(work, "entries.ldif").write_text(ENTRIES)
    run(f"slapadd -f {work}/slapd.conf -l {work}/entries.ldif", check=True)
    pathlib.Path(work, "open.conf").write_text("listener 1883\nallow_anonymous true\n")
    pathlib.Path(work, "passwords").write_text("")
    run(f"mosquitto_passwd -b {work}/passwords gateway Lab-Only-7 && chmod 644 {work}/passwords")
    pathlib.Path(work, "closed.conf").write_text(f"listener 1884\nallow_anonymous false\npassword_file {work}/passwords\n")
    run(f"chmod 755 {work} && chown mysql {work}/maria && chown postgres {work}/postgres")
    run(f"mariadb-install-db --user=mysql --datadir={work}/maria --auth-root-authentication-method=normal --skip-test-db --tmpdir={work}/maria", seconds=120)
    pathlib.Path(work, "maria.sql").write_text("CREATE USER 'lab'@'%' IDENTIFIED BY 'Lab-Only-7';\n")
    binaries = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    pathlib.Path(work, "word").write_text("Lab-Only-7\n")
    run(f"chmod 644 {work}/word; runuser -u postgres -- {binaries}/initdb -D {work}/postgres -A scram-sha-256 --pwfile={work}/word", seconds=120)
    run(f"echo 'host all all 0.0.0.0/0 scram-sha-256' >> {work}/postgres/pg_hba.conf; mkdir -p /run/postgresql /run/mysqld /run/rpcbind; chmod 777 /run/postgresql /run/mysqld")
    running = [
        start(f"slapd -d 0 -f {work}/slapd.conf -h ldap://0.0.0.0", "server"),
        start(f"mosquitto -c {work}/open.conf", "server"),
        start(f"mosquitto -c {work}/closed.conf", "server"),
        python(CONTROLLER, "server"),
        python(PRINTER, "server"),
        start("redis-server --port 6379 --bind 0.0.0.0 --protected-mode no --save ''", "server"),
        start("redis-server --port 6380 --bind 0.0.0.0 --requirepass Lab-Only-7 --save ''", "server"),
        start(f"mariadbd --user=mysql --datadir={work}/maria --socket={work}/maria/maria.sock --init-file={work}/maria.sql --tmpdir={work}/maria --bind-address=0.0.0.0 --skip-ssl", "server"),
        start(f"runuser -u postgres -- {binaries}/postgres -D {work}/postgres -h 0.0.0.0", "server"),
        start("rpcbind -f -w", "server"),
    ]
    time.sleep(8)
    yield
    for process in running:
        process.terminate()


def play(work):
    os.environ["LDAPTLS_REQCERT"] = "never"
    admin = "-D cn=admin,dc=clinic,dc=example -w Lab-Only-7"
    base = "dc=clinic,dc=example"
    run(f"ldapsearch -x -H ldap://{SERVER} {admin} -b {base}", "workstation")
    run(f"ldapsearch -x -H ldap://{SERVER} -b ou=devices,{base} -s one cn=pump01", "workstation")
    run(f"ldapwhoami -x -H ldap://{SERVER} -D cn=admin,{base} -w wrong", "workstation")
    run(f"printf 'dn: cn=pump99,ou=devices,{base}\\nobjectClass: device\\ncn: pump99\\n' | ldapadd -x -H ldap://{SERVER} {admin}", "workstation")
    run(f"ldapdelete -x -H ldap://{SERVER} {admin} cn=pump99,ou=devices,{base}", "workstation")
    run(f"ldapsearch -x -ZZ -H ldap://{SERVER} {admin} -b {base}", "workstation")

    run(f"timeout 4 mosquitto_sub -h {SERVER} -t '#' -V mqttv5 & sleep 1; for n in 1 2 3; do mosquitto_pub -h {SERVER} -t ward/3/pump -m $n -q 1; done; wait", "workstation")
    run(f"mosquitto_pub -h {SERVER} -p 1884 -u gateway -P Lab-Only-7 -i gw1 -t building/9/heat -m 21 -r", "workstation")
    run(f"mosquitto_pub -h {SERVER} -p 1884 -t building/9/heat -m 21", "attacker")

    python(OPERATOR.format(server=SERVER), "workstation", wait=True)
    python(PRINT.format(server=SERVER), "workstation", wait=True)
    run(f"rpcinfo -p {SERVER}; rpcinfo -T tcp {SERVER} portmapper; showmount -e {SERVER}", "workstation", seconds=20)

    run(f"redis-cli -h {SERVER} info server; redis-cli -h {SERVER} set a 1; redis-cli -h {SERVER} -p 6380 get a; redis-cli -h {SERVER} -p 6380 --no-auth-warning -a Lab-Only-7 get a", "workstation")
    run(f"mariadb --skip-ssl -h {SERVER} -u lab -pLab-Only-7 -e 'select 1'; mariadb --skip-ssl -h {SERVER} -u lab -pwrong -e 'select 1'", "workstation")
    run(f"PGPASSWORD=Lab-Only-7 psql 'host={SERVER} user=postgres sslmode=disable' -c 'select 1'; PGPASSWORD=wrong psql 'host={SERVER} user=postgres sslmode=disable' -c 'select 1'", "workstation")
