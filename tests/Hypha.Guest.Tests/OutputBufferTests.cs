using CsCheck;
using Hypha.Guest.Streams;

namespace Hypha.Guest.Tests;

public sealed class OutputBufferTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task What_is_read_is_what_was_written_whatever_the_pieces() =>
        await Gen.Select(Gen.Byte.Array[0, 3000].Array[0, 20], Gen.Int[1, 10_000], Gen.Int[1, 4000].Array[1, 10]).SampleAsync(async (pieces, capacity, reads) =>
        {
            var buffer = new OutputBuffer(capacity);
            Task writer = Task.Run(() =>
            {
                foreach (byte[] piece in pieces)
                    buffer.Append(piece);
                buffer.End();
            });
            var got = new List<byte>();
            for (int i = 0; ; i++)
            {
                OutputPiece piece = await buffer.ReadAsync(got.Count, reads[i % reads.Length], default).WaitAsync(s_deadline);
                if (piece.Offset != got.Count || piece.Data.Length > reads[i % reads.Length])
                    return false;
                got.AddRange(piece.Data);
                if (piece.IsEnd)
                    break;
            }
            await writer.WaitAsync(s_deadline);
            return got.SequenceEqual(pieces.SelectMany(piece => piece));
        }, iter: 200, threads: 1);

    [Fact]
    public async Task The_same_offset_can_be_read_again_until_a_later_one_is()
    {
        var buffer = new OutputBuffer(100);
        buffer.Append("abcdef"u8);
        Assert.Equal("abc"u8.ToArray(), (await buffer.ReadAsync(0, 3, default)).Data);
        Assert.Equal("abcdef"u8.ToArray(), (await buffer.ReadAsync(0, 99, default)).Data);
        Assert.Equal("ef"u8.ToArray(), (await buffer.ReadAsync(4, 99, default)).Data);
        OutputPiece freed = await buffer.ReadAsync(1, 99, default);
        Assert.Equal(4, freed.Offset);
        Assert.Equal("ef"u8.ToArray(), freed.Data);
    }

    [Fact]
    public async Task A_full_buffer_holds_its_writer_back_until_a_read_frees_space()
    {
        var buffer = new OutputBuffer(4);
        Task writer = Task.Run(() => buffer.Append("abcdefgh"u8));
        while ((await buffer.ReadAsync(0, 99, default).WaitAsync(s_deadline)).Data.Length < 4)
        {
            // the writer fills it
        }
        Assert.False(writer.IsCompleted);
        Assert.Equal("e"u8.ToArray(), (await buffer.ReadAsync(4, 1, default).WaitAsync(s_deadline)).Data);
        Assert.Equal("gh"u8.ToArray(), (await buffer.ReadAsync(6, 99, default).WaitAsync(s_deadline)).Data);
        await writer.WaitAsync(s_deadline);
    }

    [Fact]
    public async Task A_read_beyond_what_was_written_is_refused_and_a_waiting_one_can_be_given_up()
    {
        var buffer = new OutputBuffer(4);
        buffer.Append("ab"u8);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => buffer.ReadAsync(3, 1, default));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => buffer.ReadAsync(-1, 1, default));
        using var ct = new CancellationTokenSource();
        Task<OutputPiece> waiting = buffer.ReadAsync(2, 1, ct.Token);
        ct.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        buffer.End();
        Assert.True((await buffer.ReadAsync(2, 1, default)).IsEnd);
    }
}
