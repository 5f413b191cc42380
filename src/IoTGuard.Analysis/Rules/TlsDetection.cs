using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Baselines;
using IoTGuard.Analysis.Flows;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Application.Tls;
using IoTGuard.Wire.Application.X509;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>Weak handshakes, certificates, and links that were better protected before.</summary>
internal sealed class TlsDetection : TransactionDetection
{
    /// <summary>Most links, and most services with certificates, watched at once.</summary>
    public const int MaximumKeys = 16_384;

    /// <summary>Most certificates remembered of a service; servers of many names have more, and are not judged.</summary>
    private const int MaximumCertificates = 16;

    private const double ChangedWeight = 0.75;
    private const TlsWeakness ServerFault = TlsWeakness.Export | TlsWeakness.NoEncryption | TlsWeakness.Anonymous | TlsWeakness.Rc4 | TlsWeakness.SmallBlock;

    private readonly DetectionContext _context;
    private readonly Rule _weak;
    private readonly Rule _certificate;
    private readonly Rule _changed;
    private readonly Rule _downgrade;
    private readonly Rule _clear;
    private readonly HashSet<(IpAddress Client, IpAddress Server, int Port)> _strong = [];
    private readonly HashSet<(IpAddress Client, IpAddress Server, TlsCarried What)> _encrypted = [];
    private readonly HashSet<(IpAddress Client, IpAddress Server, TlsCarried What)> _plain = [];
    private readonly Dictionary<(IpAddress, ushort), TlsCarried> _medical = [];
    private readonly Dictionary<(IpAddress Server, int Port), List<(string? Subject, string? Issuer)>> _certificates = [];

    public TlsDetection(DetectionContext context)
    {
        _context = context;
        _weak = context.Of(SecureRules.WeakTls);
        _certificate = context.Of(SecureRules.BadCertificate);
        _changed = context.Of(SecureRules.CertificateChanged);
        _downgrade = context.Of(SecureRules.Downgrade);
        _clear = context.Of(SecureRules.ClearWhereTls);
        foreach (var fact in context.Site.Facts.Keys)
            Recall(fact);
    }

    public override void OnTransaction(Transaction transaction, long timeNs)
    {
        if (transaction is not TlsTransaction { Event: TlsEvent.Handshake } tls)
            return;
        if (_context.Scope.IsInside(tls.Server))
        {
            CheckStrength(tls);
            if (tls.Facts.HasCertificate)
                CheckCertificate(tls);
        }

        if (tls.Facts.IsComplete && tls.IpProtocol == IpProtocol.Tcp)
            NoteLink(tls);
    }

    public override void OnClosed(in FlowRecord flow, long timeNs)
    {
        if (flow.Application is not (ApplicationProtocol.Dicom or ApplicationProtocol.Hl7) || flow.FromOriginator.PayloadBytes == 0 || flow.FromResponder.PayloadBytes == 0)
            return;
        var what = flow.Application == ApplicationProtocol.Dicom ? TlsCarried.Dicom : TlsCarried.Hl7;
        var link = (_context.IdentityOf(flow.Originator), _context.IdentityOf(flow.Responder), what);
        if (_plain.Count < MaximumKeys && _medical.Count < MaximumKeys)
            _medical.TryAdd((flow.Responder, flow.ResponderPort), what);
        if (!_encrypted.Contains(link))
        {
            if (_plain.Count < MaximumKeys)
                _plain.Add(link);
            return;
        }

        if (_plain.Contains(link))
            return;
        var open = _context.Observe(_clear, _context.PartyOf(flow.Originator, flow.OriginatorMac), _context.PartyOf(flow.Responder, flow.ResponderMac), flow.FirstNs, timeNs, 0.85);
        if (open is null)
            return;
        open.Alert.Protocol = ApplicationProtocols.NameOf(flow.Application);
        open.Text("what", what == TlsCarried.Dicom ? "DICOM" : "HL7", "over TLS").Include("services", new ServicePort(flow.IpProtocol, flow.ResponderPort).ToString()).Flow(in flow);
        _context.Alerts.Emit(open);
    }

    private void Recall(in Fact fact)
    {
        switch (fact.Kind)
        {
            case FactKind.TlsStrong when _strong.Count < MaximumKeys:
                _strong.Add((fact.A, fact.B, fact.Number));
                break;
            case FactKind.TlsCarried when _encrypted.Count < MaximumKeys:
                _encrypted.Add((fact.A, fact.B, fact.Text == "hl7" ? TlsCarried.Hl7 : TlsCarried.Dicom));
                break;
            case FactKind.TlsCertificate:
                Remember(fact);
                break;
            case FactKind.MedicalService when _medical.Count < MaximumKeys:
                _medical[(fact.A, (ushort)fact.Number)] = fact.Text == "hl7" ? TlsCarried.Hl7 : TlsCarried.Dicom;
                break;
            case FactKind.AePair when _plain.Count < MaximumKeys:
                _plain.Add((fact.A, fact.B, TlsCarried.Dicom));
                break;
            case FactKind.Hl7Type when _plain.Count < MaximumKeys:
                _plain.Add((fact.A, fact.B, TlsCarried.Hl7));
                break;
        }
    }

    /// <summary>What a connection carries: by what the handshake shows, else by what its service was known for.</summary>
    private TlsCarried CarriedBy(TlsTransaction tls) =>
        tls.Facts.Carried != TlsCarried.Unknown ? tls.Facts.Carried : _medical.GetValueOrDefault((tls.Server, tls.ServerPort));

    private void CheckStrength(TlsTransaction tls)
    {
        ref readonly var facts = ref tls.Facts;
        if (facts.Version == 0 || !facts.IsComplete || Weakness(facts) is not { } weakness)
            return;
        Tell(_weak, tls, 0.95, open => open.Include("weakness", weakness, "TLS 1.2 or 1.3 with an authenticated cipher"));
    }

    private string? Weakness(in TlsFacts facts)
    {
        if (facts.Version is < 0x0303 or DtlsRecordHeader.Version10)
            return TlsNames.OfVersion(facts.Version);
        var weakness = TlsCipherSuite.WeaknessOf(facts.Suite) & ServerFault;
        if (weakness != TlsWeakness.None)
            return TlsCipherSuite.NameOf(facts.Suite);
        return facts.ExchangeBits > 0 && facts.ExchangeBits < _weak["prime_bits"] ? "a short Diffie-Hellman prime" : null;
    }

    private void CheckCertificate(TlsTransaction tls)
    {
        ref readonly var facts = ref tls.Facts;
        var now = tls.TimeNs / 1_000_000_000;
        if (facts.NotAfterSeconds != 0 && now > facts.NotAfterSeconds)
            TellCertificate(tls, "it has expired");
        if (facts.NotBeforeSeconds != 0 && now < facts.NotBeforeSeconds)
            TellCertificate(tls, "it is not yet valid");
        if (facts.KeyBits > 0 && facts.KeyBits < (facts.KeyKind is PublicKeyKind.Rsa or PublicKeyKind.Dsa ? _certificate["rsa_bits"] : _certificate["ec_bits"]))
            TellCertificate(tls, "its key is short");
        if (facts.HasWeakSignature)
            TellCertificate(tls, "its signature is over MD5 or SHA-1");
        if (facts.IsSelfIssued && CarriedBy(tls) != TlsCarried.Unknown)
            TellCertificate(tls, "it is signed by itself");
        CheckChange(tls);
    }

    private void CheckChange(TlsTransaction tls)
    {
        var fact = new Fact(FactKind.TlsCertificate, tls.Server, Number: tls.ServerPort, Text: tls.Facts.SubjectName ?? "", OtherText: tls.Facts.IssuerName ?? "");
        _context.Facts.Note(fact, tls.TimeNs);
        if (!_certificates.TryGetValue((_context.IdentityOf(tls.Server), tls.ServerPort), out var known) || known.Count == MaximumCertificates
            || known.Contains((fact.Text, fact.OtherText)))
            return;
        var confidence = _context.Weigh(FactKind.TlsCertificate, tls.Server, ChangedWeight);
        if (confidence < _changed["confidence"])
            return;
        Tell(_changed, tls, confidence, open => open.Text("subject", fact.Text is "" ? "(no name)" : fact.Text!).Text("issuer", fact.OtherText is "" ? "(no name)" : fact.OtherText!)
            .Text("before", $"{known[0].Subject} by {known[0].Issuer}"));
    }

    private void Remember(in Fact fact)
    {
        var key = (fact.A, fact.Number);
        if (!_certificates.TryGetValue(key, out var known))
        {
            if (_certificates.Count >= MaximumKeys)
                return;
            _certificates.Add(key, known = []);
        }

        if (known.Count < MaximumCertificates)
            known.Add((fact.Text, fact.OtherText));
    }

    private void NoteLink(TlsTransaction tls)
    {
        var (client, server) = (_context.IdentityOf(tls.Client), _context.IdentityOf(tls.Server));
        var carried = CarriedBy(tls);
        if (carried != TlsCarried.Unknown)
        {
            if (_encrypted.Count < MaximumKeys)
                _encrypted.Add((client, server, carried));
            _context.Facts.Note(new Fact(FactKind.TlsCarried, client, server, Text: carried == TlsCarried.Hl7 ? "hl7" : "dicom"), tls.TimeNs);
        }

        if (!_context.Scope.IsInside(tls.Server) || tls.Facts.Version == 0)
            return;
        if (Weakness(tls.Facts) is { } weakness)
        {
            if (_strong.Contains((client, server, tls.ServerPort)))
                Tell(_downgrade, tls, 0.7, open => open.Include("now", weakness).Text("before", "TLS 1.2 or better with a strong suite"), fromClient: true);
            return;
        }

        if (_strong.Count < MaximumKeys)
            _strong.Add((client, server, tls.ServerPort));
        _context.Facts.Note(new Fact(FactKind.TlsStrong, client, server, tls.ServerPort), tls.TimeNs);
    }

    private void TellCertificate(TlsTransaction tls, string problem) =>
        Tell(_certificate, tls, 0.9, open => open.Text("subject", tls.Facts.SubjectName ?? "(no name)").Include("problem", problem));

    private void Tell(Rule rule, TlsTransaction tls, double confidence, Action<OpenAlert> fill, bool fromClient = false)
    {
        var client = _context.ClientOf(tls);
        var server = _context.ServerOf(tls);
        var open = fromClient
            ? _context.Observe(rule, client, server, tls.TimeNs, tls.TimeNs, confidence)
            : _context.Observe(rule, server, client, tls.TimeNs, tls.TimeNs, confidence);
        if (open is null)
            return;
        open.Alert.Protocol = tls.Protocol;
        open.Include("services", new ServicePort(tls.IpProtocol, tls.ServerPort).ToString()).Flow(tls);
        fill(open);
        _context.Alerts.Emit(open);
    }
}
