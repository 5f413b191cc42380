"""The interface engine: python3-hl7's asyncio MLLP server, and its client towards the receivers.

Usage: hl7_engine.py            (addresses and ports from topology.py, names from DNS)
ADT goes on to the EHR and to billing, orders to the RIS and the laboratory, results to the EHR.
"""

import asyncio
import sys

import hl7
from hl7.mllp import InvalidBlockError, open_hl7_connection, start_hl7_server

import topology as t

MESSAGE_LIMIT_BYTES = 1 << 20
ROUTES = {"ADT": (("ehr", t.EHR_PORT), ("billing", t.BILLING_PORT)), "ORM": (("ris", t.RIS_HL7_PORT), ("lis", t.LIS_PORT)),
          "SIU": (("ris", t.RIS_HL7_PORT),), "ORU": (("ehr", t.EHR_PORT),), "MDM": (("ehr", t.EHR_PORT),)}
CONNECTION_MESSAGES = 12   # then a route reconnects
ACK_SECONDS = 5


class Route:
    """One receiver: a queue, and a connection that is kept for a while."""

    def __init__(self, host, port):
        self.host, self.port = host, port
        self.queue = asyncio.Queue(maxsize=2000)

    async def run(self):
        writer, sent = None, 0
        while True:
            message = await self.queue.get()
            try:
                if writer is None or sent >= CONNECTION_MESSAGES or writer.is_closing():
                    if writer:
                        writer.close()
                    reader, writer = await open_hl7_connection(self.host, self.port, encoding="iso-8859-1", limit=MESSAGE_LIMIT_BYTES)
                    sent = 0
                writer.writemessage(message)
                await writer.drain()
                sent += 1
                await asyncio.wait_for(reader.readmessage(), ACK_SECONDS)
            except Exception as error:  # whatever a receiver does, the engine goes on
                print(self.host, self.port, repr(error), file=sys.stderr, flush=True)
                if writer:
                    writer.close()
                writer = None


routes = {}


def forward(message):
    kind = str(message.segment("MSH")[9]).split("^")[0]
    for destination in ROUTES.get(kind, ()):
        try:
            routes[destination].queue.put_nowait(message)
        except asyncio.QueueFull:
            pass


async def serve(reader, writer):
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            ack = message.create_ack("AA", application="ENGINE", facility="IGH")
            writer.writemessage(ack)
            await writer.drain()
            forward(message)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    except (InvalidBlockError, hl7.ParseException, ValueError, KeyError, UnicodeDecodeError) as error:
        print("refused", repr(error)[:200], file=sys.stderr, flush=True)
    finally:
        writer.close()


async def main():
    for destinations in ROUTES.values():
        for destination in destinations:
            if destination not in routes:
                routes[destination] = Route(*destination)
                asyncio.create_task(routes[destination].run())
    for port in (t.HL7_ADT_PORT, t.HL7_ORU_PORT, t.HL7_ORDER_PORT):
        await start_hl7_server(serve, None, port, encoding="iso-8859-1", limit=MESSAGE_LIMIT_BYTES)
    await asyncio.Event().wait()


asyncio.run(main())
