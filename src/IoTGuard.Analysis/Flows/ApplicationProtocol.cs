namespace IoTGuard.Analysis.Flows;

/// <summary>The application protocol that a session recognised by content.</summary>
public enum ApplicationProtocol : byte
{
    Unknown,
    Dicom,
    Hl7,

    /// <summary>A DICOM file (PS3.10) on a connection of its own.</summary>
    DicomFile,

    /// <summary>Laboratory instruments: LIS01-A2 and LIS02-A2 (ASTM E1381, E1394) over TCP.</summary>
    Lis,
    Poct1a,
    IntelliVue,

    /// <summary>Web services discovery, and with it IEEE 11073-20701 SDC.</summary>
    WsDiscovery,
    Tls,
    Quic,
    Ssh,
    Telnet,
    Ftp,
    Smtp,
    Rdp,
    Vnc,
    Http,
    Http2,
    Sip,
    Ssdp,
    Dns,
    Mdns,
    Llmnr,
    Nbns,
    Dhcp,
    Dhcpv6,
    Snmp,
    Ntp,
    Syslog,
    Coap,
    Bacnet,
    Smb,
    Ldap,
    Kerberos,
    Mqtt,
    Modbus,
    Radius,
    Tftp,
    Nfs,
    Lpd,

    /// <summary>ONC RPC that is not NFS: the port mapper and others.</summary>
    OncRpc,

    /// <summary>DCERPC over TCP: the endpoint mapper and the interfaces it leads to.</summary>
    Dcerpc,

    /// <summary>Microsoft SQL Server.</summary>
    Tds,
    MySql,
    PostgreSql,
    MongoDb,
    Redis,
    OracleTns,
    Pop3,
    Imap,
    Socks,
    OpenVpn,
    Dtls,

    // Named only: NamedProtocols.
    Stun,
    Rtp,
    Rtcp,
    WireGuard,

    /// <summary>Key exchange of IPsec: IKE 1 and 2.</summary>
    Isakmp,
    Iscsi,

    /// <summary>Precision time protocol (IEEE 1588).</summary>
    Ptp,

    /// <summary>NetBIOS datagrams.</summary>
    NbDgm,

    /// <summary>Service location protocol.</summary>
    SrvLoc,

    /// <summary>Change of a Kerberos password.</summary>
    Kpasswd,
    BitTorrent,
    TeamViewer,
    Amqp,

    /// <summary>Management of servers over RMCP: IPMI and ASF.</summary>
    Ipmi,
    OpcUa,
    S7Comm,

    /// <summary>EtherNet/IP.</summary>
    Enip,
    Dnp3,
    Iec104,
    KnxIp,

    /// <summary>LON over IP (CEA-852).</summary>
    CnpIp,
}

/// <summary>Names and kinds of application protocols.</summary>
public static class ApplicationProtocols
{
    private static readonly string[] Names = [.. Enum.GetNames<ApplicationProtocol>().Select(static name => name switch
    {
        nameof(ApplicationProtocol.DicomFile) => "dicom-file",
        nameof(ApplicationProtocol.WsDiscovery) => "ws-discovery",
        _ => name.ToLowerInvariant(),
    })];

    /// <summary>Name as it stands in outputs.</summary>
    public static string NameOf(ApplicationProtocol protocol) => Names[(int)protocol];

    /// <summary>True for protocols that carry patients' data or measurements by design.</summary>
    public static bool IsMedical(ApplicationProtocol protocol) =>
        protocol is >= ApplicationProtocol.Dicom and <= ApplicationProtocol.WsDiscovery;
}
