"""Peers for which Debian has no small program: LIS01/LIS02-A2 and POCT1-A (CLSI), a FHIR server that knows one patient, WS-Discovery of a medical device
(IEEE 11073-20701), and DICOM files on connections of their own."""
import http.server
import pathlib
import random
import socket
import sys
import time
import warnings

ENQ, ACK, EOT = b'\x05', b'\x06', b'\x04'


def files(folder):
    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset
    warnings.filterwarnings('ignore')
    chance = random.Random(7)
    folder = pathlib.Path(folder)
    study, series = (f'2.25.{chance.getrandbits(100)}' for _ in range(2))
    parts = []
    for number in range(3):
        ds = Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID = '1.2.840.10008.5.1.4.1.1.2', f'2.25.{chance.getrandbits(100)}'
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.PatientID, ds.PatientName, ds.Modality = study, series, 'WEB1', 'Websen^Wanda', 'CT'
        ds.StudyDate, ds.PatientBirthDate, ds.AccessionNumber = '20260401', '19700101', 'WEBACC1'
        ds.Rows = ds.Columns = 40
        ds.BitsAllocated = ds.BitsStored = 16
        ds.HighBit, ds.PixelRepresentation, ds.SamplesPerPixel, ds.PhotometricInterpretation = 15, 0, 1, 'MONOCHROME2'
        ds.PixelData = chance.randbytes(3200)
        ds['PixelData'].VR = 'OW'
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID, ds.file_meta.MediaStorageSOPClassUID = '1.2.840.10008.1.2.1', ds.SOPClassUID
        ds.file_meta.MediaStorageSOPInstanceUID, ds.file_meta.ImplementationClassUID, ds.file_meta.SourceApplicationEntityTitle = ds.SOPInstanceUID, '2.25.1', 'WEBCT'
        ds.is_little_endian, ds.is_implicit_VR = True, False
        path = folder / ['one.dcm', 'two.dcm', 'program.dcm'][number]
        ds.save_as(path, write_like_original=False)
        if number == 2:
            path.write_bytes(b'MZ' + bytes(58) + b'\x80\0\0\0' + bytes(64) + path.read_bytes()[128:])
        else:
            (folder / 'instance.uid').write_text(ds.SOPInstanceUID)
        if number:
            parts.append(b'--part7\r\nContent-Type: application/dicom\r\n\r\n' + path.read_bytes() + b'\r\n')
    (folder / 'study.uid').write_text(study)
    (folder / 'series.uid').write_text(series)
    (folder / 'stow.bin').write_bytes(b''.join(parts) + b'--part7--\r\n')
    (folder / 'message.hl7').write_bytes(b'MSH|^~\\&|WEBAPP|WARD|LAB|HOSP|20260401||ADT^A01|WEB77|P|2.5\rPID|1||WEB1||Websen^Wanda\r')


class Fhir(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    server_version = 'LabFhir/1'

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(202 if '$export' in self.path else 200, 'application/fhir+json', b'{"resourceType":"Patient","id":"WEB1"}')

    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        self.answer(200, 'application/hl7-v2', b'MSH|^~\\&|LAB|HOSP|WEBAPP|WARD|20260401||ACK|R77|P|2.5\rMSA|AA|WEB77\r')


def listen(port):
    s = socket.create_server(('0.0.0.0', port))
    while True:
        yield s.accept()[0]


def lis_frame(number, text, end=b'\x03'):
    body = str(number).encode() + text + end
    return b'\x02' + body + b'%02X\r\n' % (sum(body) % 256)


def lis_server(port):
    for c in listen(port):
        while data := c.recv(4096):
            if data[:1] in (ENQ, b'\x02'):
                c.sendall(ACK)


def lis_client(host, port):
    c = socket.create_connection((host, port))
    frames = [b'H|\\^&|||LABSTAR^3.1|||||LIS||P|LIS2-A2|20260401\r', b'P|1|WEB1|||Websen^Wanda\rO|1|S77||^^^GLU\r', b'R|1|^^^GLU|5.4|mmol/L||N||F\rR|2|^^^NA|140|mmol/L\r', b'L|1|N\r']
    c.sendall(ENQ)
    c.recv(1)
    for number, text in enumerate(frames, 1):
        c.sendall(lis_frame(number % 8, text))
        c.recv(1)
    c.sendall(EOT)
    time.sleep(0.2)
    c.close()


def poct_server(port):
    for c in listen(port):
        number = 0
        while c.recv(65536):
            number += 1
            c.sendall(b'<ACK.R01><HDR><HDR.control_id V="%d"/></HDR><ACK><ACK.type_cd V="AA"/><ACK.ack_control_id V="%d"/></ACK></ACK.R01>' % (number, number))


def poct_client(host, port):
    c = socket.create_connection((host, port))
    for message in (
            b'<?xml version="1.0" encoding="utf-8"?><HEL.R01><HDR><HDR.control_id V="1"/><HDR.version_id V="POCT1"/></HDR><DEV><DEV.device_id V="GLU-7"/><DEV.vendor_id V="ACME"/>'
            b'<DEV.model_id V="G1"/><DEV.serial_id V="SN9"/><DEV.sw_version V="2.1"/></DEV></HEL.R01>',
            b'<OBS.R01><HDR><HDR.control_id V="2"/></HDR><SVC><PT><PT.patient_id V="WEB1"/><OBS><OBS.observation_id V="GLU"/><OBS.value V="5.4"/></OBS></PT></SVC></OBS.R01>',
            b'<END.R01><HDR><HDR.control_id V="3"/></HDR></END.R01>'):
        c.sendall(message)
        c.recv(4096)
    c.close()


def file_server(port):
    for c in listen(port):
        while c.recv(65536):
            pass
        c.close()


def file_client(host, port, path):
    c = socket.create_connection((host, port))
    c.sendall(pathlib.Path(path).read_bytes())
    c.close()


def wsd_probe(own):
    head = ('<?xml version="1.0" encoding="UTF-8"?><s12:Envelope xmlns:s12="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://www.w3.org/2005/08/addressing" '
            'xmlns:wsd="http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01" xmlns:dpws="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01" '
            'xmlns:mdpws="http://standards.ieee.org/downloads/11073/11073-20702-2016"><s12:Header><wsa:Action>http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/')
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))
    s.bind((own, 0))
    for action, body in (('Probe', '<wsd:Probe><wsd:Types>dpws:Device mdpws:MedicalDevice</wsd:Types></wsd:Probe>'),
                         ('Hello', '<wsd:Hello><wsa:EndpointReference><wsa:Address>urn:uuid:3f1c1d0e-7777-4a4a-9b9b-00a0b0c0d0e0</wsa:Address></wsa:EndpointReference>'
                                   '<wsd:Types>dpws:Device mdpws:MedicalDevice</wsd:Types><wsd:XAddrs>https://10.40.0.11:6464/sdc</wsd:XAddrs></wsd:Hello>')):
        message = f'{head}{action}</wsa:Action></s12:Header><s12:Body>{body}</s12:Body></s12:Envelope>'
        s.sendto(message.encode(), ('239.255.255.250', 3702))
        time.sleep(0.3)


def main(what, *arguments):
    numbers = [int(a) if a.isdigit() else a for a in arguments]
    if what == 'fhir':
        http.server.ThreadingHTTPServer(('0.0.0.0', numbers[0]), Fhir).serve_forever()
    else:
        globals()[what.replace('-', '_')](*numbers)


main(*sys.argv[1:])
