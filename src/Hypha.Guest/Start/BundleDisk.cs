using System.Buffers.Binary;
using Google.Protobuf;
using Hypha.Protocol.Guest;

namespace Hypha.Guest.Start;

/// <summary>Reads the disk that carries the bundle, and checks what it says.</summary>
public static class BundleDisk
{
    public const int LargestMessage = 16 << 20;

    /// <exception cref="StartException">What is wrong with the disk.</exception>
    public static Bundle Read(System.IO.Stream disk)
    {
        try
        {
            Span<byte> header = stackalloc byte[BundleLayout.HeaderSize];
            disk.ReadExactly(header);
            if (!header[..8].SequenceEqual(BundleLayout.Magic))
                throw Bad("it does not begin with HYPHABDL");
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(header[8..]);
            if (length > LargestMessage)
                throw Bad($"it claims {length} bytes; the limit is {LargestMessage}");
            var message = new byte[length];
            disk.ReadExactly(message);
            if (BundleLayout.Crc32C(message) != BinaryPrimitives.ReadUInt32LittleEndian(header[12..]))
                throw Bad("its checksum is wrong");
            Bundle bundle = Bundle.Parser.ParseFrom(message);
            Check(bundle);
            return bundle;
        }
        catch (EndOfStreamException)
        {
            throw Bad("it is too short");
        }
        catch (InvalidProtocolBufferException e)
        {
            throw Bad($"its message cannot be read: {e.Message}");
        }
    }

    private static void Check(Bundle bundle)
    {
        if (bundle.Process is not { Args.Count: > 0 })
            throw Bad("it names no command");
        if (bundle.Root is null)
            throw Bad("it names no root");
        foreach (string text in bundle.Process.Args.Concat(bundle.Process.Env).Append(bundle.Process.Cwd))
            if (text.Contains('\0'))
                throw Bad("an argument or variable holds a zero byte");
    }

    private static StartException Bad(string why) => new(StartException.CannotStart, $"the guest's configuration disk cannot be used: {why}");
}
