using IoTGuard.Analysis.Flows;

namespace IoTGuard.Analysis.Sessions;

/// <summary>Looks at the first bytes of one direction, or at a datagram.</summary>
internal delegate ProbeResult ProtocolProbe(FlowDirection direction, ReadOnlySpan<byte> prefix);

/// <summary>One application protocol: how it is recognised, and who reads it.</summary>
/// <param name="Name">Name as it stands in outputs.</param>
/// <param name="Probe">Recognises it by content.</param>
/// <param name="Create">Makes a session: a <see cref="StreamSession"/> or a <see cref="DatagramSession"/>, as the list that the row stands in says.</param>
/// <param name="HintPorts">Ports on which <see cref="ProbeResult.Likely"/> is believed.</param>
internal sealed record ProtocolRow(string Name, ProtocolProbe Probe, Func<ProtocolSession> Create, ushort[] HintPorts)
{
    /// <summary>True when a connection picked up in the middle is taken for this protocol on these ports even when its content tells nothing.</summary>
    public bool ReadsMidStream { get; init; }

    /// <summary>True when <see cref="ProbeResult.Likely"/> is believed on any port, as long as no other protocol is likely: the session proves it.</summary>
    public bool IsLikelyOnAnyPort { get; init; }
}

/// <summary>The protocols that sessions read. Content decides on any port; a port is only a hint. At most 64 rows in each list; earlier rows go before later ones.</summary>
internal static class ProtocolTable
{
    /// <summary>Protocols over TCP.</summary>
    public static ProtocolRow[] Streams { get; } =
    [
        new("dicom", DicomSession.Probe, static () => new DicomSession(), [104, 2761, 4242, 11112]) { ReadsMidStream = true },
        new("hl7", Hl7Session.Probe, static () => new Hl7Session(), [2575, 6661]) { ReadsMidStream = true },
        new("tls", TlsSession.Probe, static () => new TlsSession(), []),
        new("http", HttpSession.Probe, static () => new HttpSession(), [80, 8080, 8042]),
        new("smb", SmbSession.Probe, static () => new SmbSession(), [445, 139]) { ReadsMidStream = true },
        new("ldap", LdapSession.Probe, static () => new LdapSession(), [389, 3268]),
        new("mqtt", MqttSession.Probe, static () => new MqttSession(), [1883]),
        new("dcerpc", DcerpcSession.Probe, static () => new DcerpcSession(), [135]),
        new("oncrpc", RpcStreamSession.Probe, static () => new RpcStreamSession(), [111, 2049]),
        new("mysql", MySqlSession.Probe, static () => new MySqlSession(), [3306]),
        new("postgresql", PostgreSqlSession.Probe, static () => new PostgreSqlSession(), [5432]),
        new("tds", TdsSession.Probe, static () => new TdsSession(), [1433]),
        new("oracletns", OracleSession.Probe, static () => new OracleSession(), [1521]),
        new("mongodb", MongoDbSession.Probe, static () => new MongoDbSession(), [27017]),
        new("redis", RedisSession.Probe, static () => new RedisSession(), [6379]),
        new("modbus", ModbusSession.Probe, static () => new ModbusSession(), [502]),
        new("lpd", LpdSession.Probe, static () => new LpdSession(), [515]),
        new("dns", DnsProbe.Stream, static () => new DnsStreamSession(), [53]),
        new("kerberos", KerberosStreamSession.Probe, static () => new KerberosStreamSession(), [88]),
        new("http2", Http2Session.Probe, static () => new Http2Session(), []),
        new("dicom-file", DicomFileSession.Probe, static () => new DicomFileSession(), []),
        new("lis", LisSession.Probe, static () => new LisSession(), []),
        new("poct1a", PoctSession.Probe, static () => new PoctSession(), []),
        new("ssh", SshSession.Probe, static () => new SshSession(), []),
        new("rdp", RdpSession.Probe, static () => new RdpSession(), [3389]),
        new("vnc", VncSession.Probe, static () => new VncSession(), []),
        new("telnet", TelnetSession.Probe, static () => new TelnetSession(), [23, 2323]),
        new("ftp", FtpSession.Probe, static () => new FtpSession(), [21, 2121]),
        new("smtp", SmtpSession.Probe, static () => new SmtpSession(), [25, 465, 587, 2525]),
        new("pop3", MailboxSession.ProbePop3, static () => new MailboxSession(isImap: false), [110]),
        new("imap", MailboxSession.ProbeImap, static () => new MailboxSession(isImap: true), [143]),
        new("sip", SipStreamSession.Probe, static () => new SipStreamSession(), []),
        new("socks", SocksSession.Probe, static () => new SocksSession(), [1080]),
        new("openvpn", OpenVpnStreamSession.Probe, static () => new OpenVpnStreamSession(), []),
        .. NamedProtocols.Streams,
    ];

    /// <summary>Protocols over UDP.</summary>
    public static ProtocolRow[] Datagrams { get; } =
    [
        new("oncrpc", RpcDatagramSession.Probe, static () => new RpcDatagramSession(), [111, 2049]),
        new("dns", DnsProbe.Datagram, static () => new DnsSession(), [53, 137, 5353, 5355]),
        new("dhcp", DhcpSession.Probe, static () => new DhcpSession(), []),
        new("dhcpv6", Dhcpv6Session.Probe, static () => new Dhcpv6Session(), [546, 547]),
        new("ntp", NtpSession.Probe, static () => new NtpSession(), [123]),
        new("snmp", SnmpSession.Probe, static () => new SnmpSession(), [161, 162]),
        new("syslog", SyslogSession.Probe, static () => new SyslogSession(), [514]),
        new("intellivue", IntelliVueSession.Probe, static () => new IntelliVueSession(), [24005, 24105]),
        new("bacnet", BacnetSession.Probe, static () => new BacnetSession(), [47808, 47809, 47810]),
        new("coap", CoapSession.Probe, static () => new CoapSession(), [5683]),
        new("radius", RadiusSession.Probe, static () => new RadiusSession(), [1645, 1646, 1812, 1813, 3799]),
        new("kerberos", KerberosSession.Probe, static () => new KerberosSession(), [88]),
        new("tftp", TftpSession.Probe, static () => new TftpSession(), []),
        new("ws-discovery", WsDiscoverySession.Probe, static () => new WsDiscoverySession(), [3702]),
        new("ssdp", SsdpSession.Probe, static () => new SsdpSession(), [1900]),
        new("sip", SipSession.Probe, static () => new SipSession(), [5060]),
        new("quic", QuicSession.Probe, static () => new QuicSession(), []),
        new("dtls", DtlsSession.Probe, static () => new DtlsSession(), []),
        new("openvpn", OpenVpnSession.Probe, static () => new OpenVpnSession(), []),
        .. NamedProtocols.Datagrams,
    ];
}
