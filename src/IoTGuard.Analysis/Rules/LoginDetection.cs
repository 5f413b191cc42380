using IoTGuard.Analysis.Alerts;
using IoTGuard.Analysis.Inventory;
using IoTGuard.Analysis.Sessions;
using IoTGuard.Wire.Network;

namespace IoTGuard.Analysis.Rules;

/// <summary>Log-ins that fail again and again, passwords in the clear, and services that ask for none. Also the site's list of known bad fingerprints.</summary>
internal sealed class LoginDetection(DetectionContext context, IReadOnlySet<string> indicators) : TransactionDetection
{
    /// <summary>Most pairs watched at once.</summary>
    public const int MaximumKeys = 8192;

    private readonly Rule _guess = context.Of(NetworkRules.BruteForce);
    private readonly Rule _clear = context.Of(NetworkRules.InsecureService);
    private readonly Rule _screen = context.Of(SecureRules.OpenScreen);
    private readonly Rule _anonymous = context.Of(SecureRules.AnonymousFtp);
    private readonly Rule _bad = context.Of(SecureRules.KnownBad);
    private readonly KeyedState<(IpAddress Client, IpAddress Server, ushort Port), Failures> _failures = new(MaximumKeys, 240_000_000_000);

    private sealed class Failures
    {
        public WindowSum Count;

        /// <summary>Failures told by the open alert.</summary>
        public double Told;
    }

    public override void OnTransaction(Transaction transaction, long timeNs)
    {
        switch (transaction)
        {
            case TlsTransaction { Event: TlsEvent.Handshake } tls:
                CheckIndicator(tls, tls.Facts.Ja3);
                CheckIndicator(tls, tls.Facts.Ja4);
                CheckIndicator(tls, tls.Facts.Ja3s);
                CheckIndicator(tls, tls.Facts.Ja4s);
                return;
            case SshTransaction { Event: SshEvent.Handshake } ssh:
                CheckIndicator(ssh, ssh.Hassh);
                CheckIndicator(ssh, ssh.HasshServer);
                return;
            case LoginTransaction login:
                if (login.FailedLogins > 0)
                    OnFailure(login, timeNs);
                if (context.Scope.IsInside(login.Server))
                    CheckService(login);
                return;
        }
    }

    private void OnFailure(LoginTransaction login, long timeNs)
    {
        if (_failures.Touch((login.Client, login.Server, login.ServerPort), timeNs, static () => new Failures()) is not { } failures)
            return;
        failures.Count.Add(login.FailedLogins, timeNs, DetectionContext.Ns(_guess["window"]));
        if (failures.Count.Total < _guess["failures"])
            return;
        var open = context.Observe(_guess, context.ClientOf(login), context.ServerOf(login),
            failures.Count.FirstNs, timeNs, 0.9);
        if (open is null)
            return;
        open.Alert.Protocol = login.Protocol;
        failures.Told = open.IsNew || failures.Told == 0 ? failures.Count.Total : failures.Told + login.FailedLogins;
        open.Number("refused", failures.Told, "log-ins").Raise("sessions", 0, "sessions").Number("period", _guess["window"], "s")
            .Text("services", Service(login)).Flow(login);
        context.Alerts.Emit(open);
    }

    private void CheckService(LoginTransaction login)
    {
        if (login.ClearPassword && login is not (SmtpTransaction or MailboxTransaction))
            Tell(_clear, login, open => open.Include("services", Service(login), "an encrypted service").Include("passwords seen", login.Protocol));
        if (login is VncTransaction { SecurityType: 1, Login: LoginResult.Succeeded })
            Tell(_screen, login, open => open.Include("services", Service(login)));
        if (login is FtpTransaction { Event: FtpEvent.Login, IsAnonymous: true, Login: LoginResult.Succeeded })
            Tell(_anonymous, login, open => open.Include("services", Service(login)));
    }

    private void CheckIndicator(Transaction transaction, string? fingerprint)
    {
        if (fingerprint is null || indicators.Count == 0 || !indicators.Contains(fingerprint))
            return;
        var open = context.Observe(_bad, context.ClientOf(transaction), context.ServerOf(transaction),
            transaction.TimeNs, transaction.TimeNs, 0.8);
        if (open is null)
            return;
        open.Alert.Protocol = transaction.Protocol;
        open.Include("fingerprint", fingerprint, "not in the list").Flow(transaction);
        context.Alerts.Emit(open);
    }

    private void Tell(Rule rule, LoginTransaction login, Action<OpenAlert> fill)
    {
        var open = context.Observe(rule, context.ServerOf(login), context.ClientOf(login), login.TimeNs, login.TimeNs, 0.95);
        if (open is null)
            return;
        open.Alert.Protocol = login.Protocol;
        fill(open.Flow(login));
        context.Alerts.Emit(open);
    }

    private static string Service(LoginTransaction login) => new ServicePort(login.IpProtocol, login.ServerPort).ToString();
}
