namespace IoTGuard.Analysis.Features;

/// <summary>
/// The features of a device in a window. Bytes and packets of a flow count when its record is written: at its end, and every 60 s while it goes on.
/// A changed row changes the hash: retrain the shipped model.
/// </summary>
public static class WindowFeatures
{
    /// <summary>The table.</summary>
    public static FeatureSchema<DeviceWindow> Schema { get; } = new("windows",
    [
        new("packets_out", "packets", "packets that the device sent", static (in w) => w.Counters.PacketsOut),
        new("packets_in", "packets", "packets that the device received", static (in w) => w.Counters.PacketsIn),
        new("bytes_out", "bytes", "IP bytes that the device sent", static (in w) => w.Counters.BytesOut),
        new("bytes_in", "bytes", "IP bytes that the device received", static (in w) => w.Counters.BytesIn),
        new("payload_out", "bytes", "payload bytes that the device sent", static (in w) => w.Counters.PayloadOut),
        new("payload_in", "bytes", "payload bytes that the device received", static (in w) => w.Counters.PayloadIn),
        new("byte_balance", "1", "share of the IP bytes that the device sent", static (in w) => Share(w.Counters.BytesOut, w.Counters.BytesIn)),
        new("outside_bytes_out", "bytes", "IP bytes that the device sent out of the site", static (in w) => w.Counters.OutsideBytesOut),
        new("outside_bytes_in", "bytes", "IP bytes that the device received from outside of the site", static (in w) => w.Counters.OutsideBytesIn),
        new("flows_out", "flows", "flows that the device opened", static (in w) => w.Counters.FlowsOut),
        new("flows_in", "flows", "flows that were opened to the device", static (in w) => w.Counters.FlowsIn),
        new("tcp_flows", "flows", "TCP connections of the device, opened by it or to it", static (in w) => w.Counters.TcpFlows),
        new("udp_flows", "flows", "UDP flows of the device, opened by it or to it", static (in w) => w.Counters.UdpFlows),
        new("outside_flows", "flows", "flows with addresses outside of the site", static (in w) => w.Counters.OutsideFlows),
        new("flow_duration", "s", "mean duration of the flows that ended", static (in w) => (float)(w.Counters.EndedSeconds / Math.Max(1, w.Counters.Ended))),
        new("peers", "devices", "different addresses that the device had flows with", static (in w) => (float)w.Peers.Count),
        new("peer_entropy", "bits", "entropy of its flows over these addresses", static (in w) => (float)w.Peers.Entropy()),
        new("new_peers", "devices", "addresses of the site that the device talked with for the first time", static (in w) => w.Counters.NewPeers),
        new("services", "services", "different services (address, protocol, port) that the device asked", static (in w) => (float)w.Services.Count),
        new("ports_out", "ports", "different protocol and ports that the device asked", static (in w) => (float)w.PortsOut.Count),
        new("ports_in", "ports", "different protocol and ports that the device was asked at", static (in w) => (float)w.PortsIn.Count),
        new("fan_out", "devices", "services that the device asked per port", static (in w) => (float)(w.Services.Count / Math.Max(1, w.PortsOut.Count))),
        new("refused", "flows", "TCP connections of the device that were refused", static (in w) => w.Counters.Refused),
        new("refusals", "flows", "TCP connections that the device refused", static (in w) => w.Counters.Refusals),
        new("unanswered", "flows", "flows of the device that ended without an answer", static (in w) => w.Counters.Unanswered),
        new("ignored", "flows", "flows that the device did not answer", static (in w) => w.Counters.Ignored),
        new("failure_share", "1", "refused and unanswered flows per flow that the device opened", static (in w) => Ratio(w.Counters.Refused + w.Counters.Unanswered, w.Counters.FlowsOut)),
        new("medical_flows", "flows", "ended flows with DICOM, HL7 or another medical protocol", static (in w) => w.Counters.MedicalFlows),
        new("web_flows", "flows", "ended flows with HTTP in the clear", static (in w) => w.Counters.WebFlows),
        new("encrypted_flows", "flows", "ended flows with TLS, QUIC, SSH or RDP", static (in w) => w.Counters.EncryptedFlows),
        new("file_flows", "flows", "ended flows with SMB, NFS, FTP, TFTP or printing", static (in w) => w.Counters.FileFlows),
        new("name_flows", "flows", "ended flows with DNS and its relatives", static (in w) => w.Counters.NameFlows),
        new("unknown_flows", "flows", "ended flows with payload of no known protocol", static (in w) => w.Counters.UnknownFlows),
        new("dicom_associations", "associations", "DICOM associations, accepted", static (in w) => w.Counters.Associations),
        new("dicom_rejections", "associations", "DICOM associations, rejected", static (in w) => w.Counters.Rejections),
        new("dicom_aborts", "associations", "DICOM associations, aborted or ended without release", static (in w) => w.Counters.Aborts),
        new("dicom_stores_out", "objects", "DICOM objects that the device stored elsewhere", static (in w) => w.Counters.StoresOut),
        new("dicom_stores_in", "objects", "DICOM objects that were stored on the device", static (in w) => w.Counters.StoresIn),
        new("dicom_bytes_out", "bytes", "bytes of the DICOM objects stored elsewhere", static (in w) => w.Counters.ObjectBytesOut),
        new("dicom_bytes_in", "bytes", "bytes of the DICOM objects stored on the device", static (in w) => w.Counters.ObjectBytesIn),
        new("dicom_queries", "messages", "C-FIND of the device", static (in w) => w.Counters.Finds),
        new("dicom_retrieves", "messages", "C-MOVE and C-GET of the device", static (in w) => w.Counters.Retrieves),
        new("dicom_served", "messages", "DICOM operations that the device was asked", static (in w) => w.Counters.Served),
        new("dicom_failures", "messages", "DICOM operations of the device that failed", static (in w) => w.Counters.DicomFailures),
        new("hl7_messages_out", "messages", "HL7 messages that the device sent", static (in w) => w.Counters.MessagesOut),
        new("hl7_messages_in", "messages", "HL7 messages that the device received", static (in w) => w.Counters.MessagesIn),
        new("hl7_refusals", "messages", "HL7 messages of the device that were answered with an error or reject", static (in w) => w.Counters.Nacks),
        new("name_questions", "messages", "DNS questions of the device", static (in w) => w.Counters.Questions),
        new("names", "names", "different names that the device asked for in DNS", static (in w) => (float)w.Names.Count),
        new("name_failures", "messages", "DNS questions of the device that were answered with an error", static (in w) => w.Counters.NameFailures),
        new("logins", "sessions", "log-ins of the device that succeeded", static (in w) => w.Counters.Logins),
        new("login_failures", "sessions", "log-ins of the device that failed", static (in w) => w.Counters.LoginFailures),
        new("web_requests", "messages", "HTTP requests of the device", static (in w) => w.Counters.WebRequests),
        new("web_errors", "messages", "HTTP requests of the device that were answered with status 400 and above", static (in w) => w.Counters.WebErrors),
        new("file_reads", "messages", "SMB reads of the device", static (in w) => w.Counters.FileReads),
        new("file_writes", "messages", "SMB writes of the device", static (in w) => w.Counters.FileWrites),
        new("file_renames", "messages", "SMB renames of the device", static (in w) => w.Counters.FileRenames),
        new("file_deletes", "messages", "SMB deletes of the device", static (in w) => w.Counters.FileDeletes),
        new("file_bytes_read", "bytes", "bytes that the device read over SMB", static (in w) => w.Counters.FileBytesRead),
        new("file_bytes_written", "bytes", "bytes that the device wrote over SMB", static (in w) => w.Counters.FileBytesWritten),
        new("protocol_faults", "faults", "faults in the protocols of the flows that ended", static (in w) => w.Counters.Faults),
    ]);

    private static float Share(long mine, long other) => mine + other == 0 ? 0 : (float)(mine / (double)(mine + other));

    private static float Ratio(int part, int whole) => part / (float)Math.Max(1, whole);
}
