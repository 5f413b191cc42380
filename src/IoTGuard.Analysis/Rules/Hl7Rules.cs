namespace IoTGuard.Analysis.Rules;

/// <summary>Rules about HL7 v2 over MLLP.</summary>
internal static class Hl7Rules
{
    public static readonly Rule NewSender = new()
    {
        Id = "hl7-new-sender",
        Title = "HL7 from a new sender",
        Category = "unauthorized-access",
        Severity = 8,
        Attack = Techniques.Of("T1565.002", "T0856"),
        Condition = "A message whose sending application and facility (MSH-3, MSH-4) never came from this address.",
        Template = "{device} sends HL7 to {peer} as {sender}, which never came from this address.",
        Recommendation = "Check with the interface team; undo what the messages changed when they are not genuine.",
        FalsePositives = "A new interface; a system that was moved to another address.",
        Traits = RuleTraits.Baseline | RuleTraits.PerPeer,
        Thresholds = [new("confidence", 0.35, "1")],
        QuietSeconds = Rule.NewsSeconds,
    };

    public static readonly Rule NewType = new()
    {
        Id = "hl7-new-message-type",
        Title = "A new kind of HL7 message on a link",
        Category = "integrity",
        Severity = 5,
        Attack = Techniques.Of("T1565.002", "T0856"),
        Condition = "A message code (the first part of MSH-9) that this sender never sent on this link.",
        Template = "{device} sends {peer} messages of the type {message type}, which it never did before.",
        Recommendation = "Check with the interface team whether the link was extended.",
        FalsePositives = "Rare events of a hospital's week that a short learning period did not see.",
        Traits = RuleTraits.Baseline | RuleTraits.PerPeer,
        Thresholds = [new("confidence", 0.35, "1")],
        QuietSeconds = Rule.NewsSeconds,
    };

    public static readonly Rule Flood = new()
    {
        Id = "hl7-flood",
        Title = "A flood of HL7 messages",
        Category = "denial-of-service",
        Severity = 7,
        Attack = Techniques.Of("T1499.003", "T0814"),
        Condition = "More messages by one sender in a short window than interfaces send, and far more than it usually does.",
        Template = "{device} sent {peer} {messages} messages within {period}.",
        Recommendation = "Check the sender and the queue of the receiver; slow the link down.",
        FalsePositives = "A backlog sent after a downtime.",
        Traits = RuleTraits.Hostile,
        Thresholds = [new("messages", 200, "messages"), new("learned_messages", 60, "messages"), new("factor", 5, "times usual"), new("window", 10, "s")],
    };

    public static readonly Rule EndlessFrame = new()
    {
        Id = "hl7-endless-frame",
        Title = "An HL7 frame that does not end",
        Category = "denial-of-service",
        Severity = 7,
        Attack = Techniques.Of("T1499.003", "T1499.004"),
        Condition = "An MLLP start block without an end block that stays open for long or grows large; a message cut off by its connection is malformed HL7 instead.",
        Template = "{device} sent {peer} an MLLP frame without an end ({what}).",
        Recommendation = "Check the sender; see whether the receiver still takes messages.",
        FalsePositives = "A sender that crashed within a message.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("open_seconds", 3, "s"), new("bytes", 65_536, "bytes")],
    };

    public static readonly Rule MessageChanged = new()
    {
        Id = "hl7-message-changed",
        Title = "A message is passed on with other content",
        Category = "integrity",
        Severity = 8,
        Attack = Techniques.Of("T1557", "T0830", "T0832"),
        Condition = "A message with the sender and control id (MSH-3, MSH-10) of one just seen on another link has other PID or OBX segments, though the device that passes it on did not change such messages before, or is none that sent HL7 while the site was learned.",
        Template = "{device} passed {changed} messages on to {peer} with a patient or results that differ from what {first sent} said.",
        Recommendation = "Compare what sender and receiver have stored; find out whether the device has business between them.",
        FalsePositives = "A changed mapping of an interface engine; who translates messages while the site is learned is left out.",
        Traits = RuleTraits.PerPeer,
        Thresholds = [new("unchanged", 5, "messages"), new("share", 5, "unchanged per changed"), new("window", 60, "s")],
    };

    public static readonly Rule Malformed = new()
    {
        Id = "hl7-malformed",
        Title = "Malformed HL7",
        Category = "protocol-abuse",
        Severity = 5,
        Attack = Techniques.Of("T1499.004", "T1210"),
        Condition = "Frames or segments that contradict MLLP or HL7 chapter 2, repeatedly.",
        Template = "{device} sent {peer} malformed HL7: {what}.",
        Recommendation = "Check the sender; see whether the receiver still takes messages.",
        FalsePositives = "A vendor's own way with the standard; what happens while the site is learned is left out.",
        Traits = RuleTraits.PerPeer,
        Thresholds = [new("faults", 3, "faults")],
    };

    public static readonly Rule Replay = new()
    {
        Id = "hl7-replay",
        Title = "HL7 messages are sent again",
        Category = "integrity",
        Severity = 6,
        Attack = Techniques.Of("T1565.002", "T0856"),
        Condition = "Control ids (MSH-10) of a sender come again after they were acknowledged positively, on another connection and much later.",
        Template = "{device} sent {peer} {replayed} messages whose control ids were sent and acknowledged before.",
        Recommendation = "Check whether the sender or somebody else repeats old messages; compare with the receiver's log.",
        FalsePositives = "Senders that reuse control ids; a queue that is sent again by hand.",
        Traits = RuleTraits.PerPeer,
        Thresholds = [new("messages", 3, "messages"), new("age", 30, "s"), new("window", 600, "s")],
    };

    public static readonly Rule QueryHarvesting = new()
    {
        Id = "hl7-query-harvesting",
        Title = "Patient data is being harvested by HL7 queries",
        Category = "data-collection",
        Severity = 7,
        Attack = Techniques.Of("T1213", "T1119"),
        Condition = "Many QRY or QBP messages by one sender in a short time, far more than usual.",
        Template = "{device} sent {peer} {queries} queries within {period}.",
        Recommendation = "Ask the user of the device; assess which patients were listed.",
        FalsePositives = "Nightly synchronisation of patient indexes.",
        Traits = RuleTraits.Hostile | RuleTraits.PerPeer,
        Thresholds = [new("queries", 30, "messages"), new("factor", 3, "times usual"), new("window", 120, "s")],
    };

    public static readonly Rule FailingInterface = new()
    {
        Id = "hl7-failing-interface",
        Title = "An HL7 interface refuses messages, or does not answer",
        Category = "availability",
        Severity = 5,
        Attack = [],
        Condition = "Half of the last 32 messages of a link were answered with AE, AR, CE or CR, or three in ten and four times as many as usual on a link that is known well; or several in a row were not acknowledged at all by a receiver that acknowledged before.",
        Template = "{device} refused {refused} and left {unanswered} unanswered of the last {messages} messages of {peer}.",
        Recommendation = "Tell the interface team: messages may be lost or pile up.",
        FalsePositives = "An interface under test.",
        Traits = RuleTraits.Standing | RuleTraits.PerPeer,
        Thresholds = [new("messages", 10, "messages"), new("share", 0.5, "1"), new("share_known", 0.3, "1"), new("factor", 4, "1"), new("unanswered", 5, "messages"), new("silence", 30, "s")],
    };

    public static readonly Rule SilentSender = new()
    {
        Id = "hl7-silent-sender",
        Title = "A sender of HL7 that spoke regularly is silent",
        Category = "availability",
        Severity = 5,
        Attack = Techniques.Of("T0815"),
        Condition = "A sender whose messages to a receiver came in regular steps, as a monitor's do, sends none for several of its longest pauses.",
        Template = "{device} has sent {peer} no HL7 for {silence}; before, it never paused for longer than {pause}.",
        Recommendation = "Look whether the sender and its interface work: vital signs or results may be missing.",
        FalsePositives = "A monitor that is switched off because its patient has left.",
        Traits = RuleTraits.PerPeer,
        Thresholds = [new("pauses", 20, "pauses"), new("share", 0.6, "1"), new("factor", 5, "1"), new("silence", 300, "s")],
    };

    public static readonly Rule SlowInterface = new()
    {
        Id = "hl7-slow-interface",
        Title = "An HL7 interface answers ever more slowly",
        Category = "availability",
        Severity = 4,
        Attack = [],
        Condition = "The time to the acknowledgement, averaged over the last messages of a link, is many times its average over all messages before, and long; so it is for most of them, not for single ones.",
        Template = "{device} takes {response} to acknowledge a message of {peer}, and took {usual} before.",
        Recommendation = "Look at the receiver's load and queue before messages are lost.",
        FalsePositives = "A receiver that is busy with a backlog or a backup.",
        Traits = RuleTraits.PerPeer,
        Thresholds = [new("messages", 50, "messages"), new("response", 2, "s"), new("factor", 10, "times usual")],
        QuietSeconds = 3600,
    };

    public static readonly Rule PublicAddress = new()
    {
        Id = "hl7-public-address",
        Title = "HL7 with an address outside of the site",
        Category = "exfiltration",
        Severity = 9,
        Attack = Techniques.Of("T1048.003", "T1040"),
        Condition = "An HL7 message between a device of the site and a public address.",
        Template = "{device} speaks unencrypted HL7 with {peer}, outside of the site.",
        Recommendation = "Stop it unless a contract covers it; send messages outside only through a VPN or TLS gateway.",
        FalsePositives = "Sites that use public addresses inside: name them as inside networks.",
        Traits = RuleTraits.Standing | RuleTraits.PerPeer,
    };

    public static readonly IReadOnlyList<Rule> All =
        [NewSender, NewType, Flood, EndlessFrame, MessageChanged, Malformed, Replay, QueryHarvesting, FailingInterface, SlowInterface, SilentSender, PublicAddress];
}
