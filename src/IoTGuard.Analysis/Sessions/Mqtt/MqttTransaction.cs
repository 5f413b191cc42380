namespace IoTGuard.Analysis.Sessions;

/// <summary>What happened on an MQTT connection.</summary>
public enum MqttEvent : byte
{
    Connect,
    Subscribe,

    /// <summary>What one side published within one interval.</summary>
    Publish,
    Fault,
}

/// <summary>
/// One MQTT event. Client ids, credentials, topics and payloads are never kept; of topics the shape is: a letter word is "a", a number "9", anything else
/// "x", levels stay, and so do wildcards and $SYS. Bytes are those of the packets.
/// </summary>
public sealed class MqttTransaction : Transaction
{
    private static readonly string[] EventNames = ["connect", "subscribe", "publish", "fault"];

    public MqttEvent Event { get; set; }

    /// <summary>Protocol level: 3 (3.1), 4 (3.1.1), 5.</summary>
    public int Level { get; set; }

    /// <summary>Return or reason code of the answer; -1 when there was none.</summary>
    public int Code { get; set; }

    public bool HasClientId { get; set; }

    public bool HasUser { get; set; }

    public bool HasPassword { get; set; }

    public bool HasWill { get; set; }

    /// <summary>Keep alive, seconds.</summary>
    public int KeepAlive { get; set; }

    /// <summary>Topic filters asked for, of them with a wildcard, and of them those for everything ("#").</summary>
    public int Topics { get; set; }

    public int Wildcards { get; set; }

    public int Everything { get; set; }

    /// <summary>Shape of the first topic.</summary>
    public string? TopicShape { get; set; }

    public int Messages { get; set; }

    public int Retained { get; set; }

    /// <summary>Highest quality of service.</summary>
    public int Quality { get; set; }

    /// <summary>Time from the first to the last message, ns.</summary>
    public long IntervalNs { get; set; }

    /// <summary>True when the broker published.</summary>
    public bool ByServer { get; set; }

    public string? FaultText { get; set; }

    public override string Protocol => "mqtt";

    public override string EventName => EventNames[(int)Event];

    public override void Reset()
    {
        Event = MqttEvent.Connect;
        Code = -1;
        Level = KeepAlive = Topics = Wildcards = Everything = Messages = Retained = Quality = 0;
        HasClientId = HasUser = HasPassword = HasWill = ByServer = false;
        IntervalNs = 0;
        TopicShape = FaultText = null;
    }

    public override void WriteFields<TWriter>(ref TWriter writer)
    {
        switch (Event)
        {
            case MqttEvent.Connect:
                writer.Number("level", Level);
                writer.Flag("has_client_id", HasClientId);
                writer.Flag("has_user", HasUser);
                writer.Flag("has_password", HasPassword);
                writer.Flag("has_will", HasWill);
                writer.Number("keep_alive", KeepAlive);
                break;
            case MqttEvent.Subscribe:
                writer.Number("topics", Topics);
                writer.Number("wildcards", Wildcards);
                writer.Number("everything", Everything);
                writer.Text("topic_shape", TopicShape);
                break;
            case MqttEvent.Publish:
                writer.Number("messages", Messages);
                writer.Number("retained", Retained);
                writer.Number("quality", Quality);
                writer.Real("interval", IntervalNs / 1e9);
                writer.Flag("by_server", ByServer);
                writer.Text("topic_shape", TopicShape);
                break;
            case MqttEvent.Fault:
                writer.Text("fault", FaultText);
                break;
        }

        if (Code >= 0)
            writer.Number("code", Code);
    }
}
