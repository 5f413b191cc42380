using System.Text;
using IoTGuard.TestSupport;
using IoTGuard.Wire.Application.Dicom;

namespace IoTGuard.Wire.Tests.Application.Dicom;

/// <summary>PDUs and items as pynetdicom's own tests have them.</summary>
public sealed class AssociatePduTests
{
    [Theory]
    [InlineData("a_associate_rq.bin", PduType.AssociateRequest, 209)]
    [InlineData("a_associate_ac.bin", PduType.AssociateAccept, 184)]
    [InlineData("a_associate_rj.bin", PduType.AssociateReject, 4)]
    [InlineData("p_data_tf.bin", PduType.DataTransfer, 84)]
    [InlineData("a_release_rq.bin", PduType.ReleaseRequest, 4)]
    [InlineData("a_release_rp.bin", PduType.ReleaseResponse, 4)]
    [InlineData("a_abort.bin", PduType.Abort, 4)]
    [InlineData("a_p_abort.bin", PduType.Abort, 4)]
    public void EveryPduHasItsHeader(string file, PduType type, uint length)
    {
        var bytes = Read(file);
        var header = PduHeader.Read(bytes);
        Assert.Equal(new PduHeader(type, length), header);
        Assert.True(header.IsKnown);
        Assert.Equal(bytes.Length, PduHeader.Size + (int)header.Length);
    }

    [Fact]
    public void ARequestIsRead()
    {
        Assert.True(AssociatePdu.TryRead(Read("a_associate_rq.bin").AsSpan(PduHeader.Size), out var pdu));
        Assert.Equal(1, pdu.ProtocolVersion);
        Assert.Equal("ECHOSCU", Text(pdu.CallingAe));
        Assert.Equal("ANY-SCP", Text(pdu.CalledAe));
        var items = pdu.Items;
        Assert.True(items.Read());
        Assert.Equal((ItemType.ApplicationContext, DicomUid.ApplicationContext), (items.Type, Text(items.Body)));
        Assert.True(items.Read());
        Assert.Equal(ItemType.PresentationContextRequest, items.Type);
        Assert.True(PresentationContext.TryRead(items.Body, out var context));
        Assert.Equal(1, context.Id);
        var subItems = context.SubItems;
        Assert.True(subItems.Read());
        Assert.Equal((ItemType.AbstractSyntax, DicomUid.Verification), (subItems.Type, Text(subItems.Body)));
        Assert.True(subItems.Read());
        Assert.Equal((ItemType.TransferSyntax, "1.2.840.10008.1.2"), (subItems.Type, Text(subItems.Body)));
        Assert.False(subItems.Read());
        Assert.True(items.Read());
        var user = UserInformation.Read(items.Body);
        Assert.Equal((16382, "PYNETDICOM_090"), (user.MaximumLength, Text(user.ImplementationVersion)));
        Assert.False(items.Read());
        Assert.True(items.Fault.IsNone);
    }

    [Fact]
    public void AnAcceptIsRead()
    {
        Assert.True(AssociatePdu.TryRead(Read("a_associate_ac.bin").AsSpan(PduHeader.Size), out var pdu));
        var results = new List<string>();
        var items = pdu.Items;
        while (items.Read())
        {
            if (items.Type != ItemType.PresentationContextResult)
                continue;
            Assert.True(PresentationContext.TryRead(items.Body, out var context));
            var subItems = context.SubItems;
            Assert.True(subItems.Read());
            results.Add($"{context.Id} {context.Result} {Text(subItems.Body)}");
        }

        Assert.Equal(["1 0 1.2.840.10008.1.2"], results);
    }

    [Theory]
    [InlineData("a_associate_rj.bin", 1, 1, 1)]
    public void AReject(string file, byte result, byte source, byte reason)
    {
        var body = Read(file).AsSpan(PduHeader.Size);
        Assert.Equal((result, source, reason), (body[1], body[2], body[3]));
    }

    [Fact]
    public void AsynchronousOperationsWindow()
    {
        var user = UserInformation.Read(Read("asynchronous_window_ops.bin"));
        Assert.Equal((5, 5), (user.OperationsInvoked, user.OperationsPerformed));
    }

    [Theory]
    [InlineData("role_selection.bin", "1.2.840.10008.5.1.4.1.1.21")]
    [InlineData("role_selection_odd.bin", "1.2.840.10008.5.1.4.1.1.2")]
    public void Roles(string file, string uid)
    {
        Assert.True(RoleSelection.TryRead(Read(file).AsSpan(ItemReader.HeaderSize), out var role));
        Assert.Equal((uid, false, true), (Text(role.SopClass), role.Scu, role.Scp));
        Assert.Equal(1, UserInformation.Read(Read(file)).RoleSelections);
    }

    [Fact]
    public void ExtendedNegotiationHasItsInformation()
    {
        var item = Read("extended_negotiation.bin");
        Assert.True(ExtendedNegotiation.TryRead(item.AsSpan(ItemReader.HeaderSize), out var negotiation));
        Assert.Equal("1.2.840.10008.5.1.4.1.1.2", Text(negotiation.SopClass));
        Assert.Equal([2, 0, 3, 0, 1, 0], negotiation.ApplicationInformation.ToArray());
        Assert.Equal(1, UserInformation.Read(item).ExtendedNegotiations);
    }

    [Fact]
    public void CommonExtendedNegotiationHasThreeParts()
    {
        var item = Read("common_extended_negotiation.bin");
        Assert.True(CommonExtendedNegotiation.TryRead(item.AsSpan(ItemReader.HeaderSize), out var negotiation));
        Assert.Equal(("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.4.2"), (Text(negotiation.SopClass), Text(negotiation.ServiceClass)));
        var related = negotiation.RelatedGeneralSopClasses;
        Assert.True(CountedField.TryRead(ref related, out var uid));
        Assert.Equal("1.2.840.10008.5.1.4.1.1.88.22", Text(uid));
        Assert.True(related.IsEmpty);
        Assert.Equal(1, UserInformation.Read(item).CommonExtendedNegotiations);
    }

    [Theory]
    [InlineData("user_identity_rq_user_nopw.bin", 1, true, false)]
    [InlineData("user_identity_rq_user_pass.bin", 2, false, true)]
    public void UserIdentityHasATypeButNoSecret(string file, byte type, bool responseRequested, bool hasSecret)
    {
        var user = UserInformation.Read(Read(file));
        Assert.Equal(new UserIdentity(type, responseRequested, hasSecret), user.Identity);
        Assert.True(user.Fault.IsNone);
    }

    [Fact]
    public void AnAnswerToTheUserIdentity() => Assert.True(UserInformation.Read(Read("user_identity_ac.bin")).IdentityAnswered);

    [Fact]
    public void ImplementationAndMaximumLength()
    {
        Assert.Equal("1.2.826.0.1.3680043.9.3811.0.9.0", Text(UserInformation.Read(Read("implementation_class_uid.bin")).ImplementationClass));
        Assert.Equal("PYNETDICOM_090", Text(UserInformation.Read(Read("implementation_version_name.bin")).ImplementationVersion));
        Assert.Equal(16382, UserInformation.Read(Read("maximum_length_received.bin")).MaximumLength);
        Assert.Equal("", Text(UserInformation.Read(Read("implementation_class_uid_empty.bin")).ImplementationClass));
    }

    [Fact]
    public void EveryItemCutAtEveryOffsetIsAFaultOrWhole()
    {
        foreach (var path in Directory.GetFiles(Repository.SharedDataOrSkip("dicom", "pynetdicom-vectors", "encoded_pdu_items")))
        {
            var bytes = File.ReadAllBytes(path);
            var isPdu = bytes.Length >= 6 && bytes[0] <= 7;
            for (var length = 0; length < bytes.Length; length++)
            {
                var cut = bytes.AsSpan(0, length);
                if (isPdu)
                {
                    if (length >= PduHeader.Size && AssociatePdu.TryRead(cut[PduHeader.Size..], out var pdu))
                        Walk(pdu.Items);
                    continue;
                }

                var whole = UserInformation.Read(cut);
                Assert.True(length == 0 || !whole.Fault.IsNone, $"{Path.GetFileName(path)} cut at {length}");
            }
        }
    }

    [Fact]
    public void AnItemLongerThanWhatHoldsItIsAFault()
    {
        var items = new ItemReader([0x51, 0, 0, 9, 0, 0]);
        Assert.False(items.Read());
        Assert.Equal(new Fault(FaultKind.BadLength, Layer.Dicom, 0, 9, 2), items.Fault);
        Assert.False(items.Read());
    }

    private static void Walk(ItemReader items)
    {
        while (items.Read())
        {
            if (items.Type == ItemType.UserInformation)
                UserInformation.Read(items.Body);
            else if (PresentationContext.TryRead(items.Body, out var context))
                Walk(context.SubItems);
        }
    }

    private static byte[] Read(string file) => File.ReadAllBytes(Repository.SharedDataOrSkip("dicom", "pynetdicom-vectors", "encoded_pdu_items", file));

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(DicomText.Trim(bytes));
}
