using Hypha.Linux;
using System.Text;

namespace Hypha.Xen.Tests;

public sealed class ConsoleRingTests : IDisposable
{
    private readonly MemoryMapping _page = MemoryMapping.Anonymous(Page.Size);

    public void Dispose() => _page.Dispose();

    private SharedRing Guest(bool output) => output
        ? SharedRing.Producer(new RingLayout(_page, 3080, 3084, _page, 1024, 2048))
        : SharedRing.Consumer(new RingLayout(_page, 3072, 3076, _page, 0, 1024));

    [Fact]
    public void What_the_guest_writes_is_read_and_what_is_written_the_guest_reads()
    {
        var console = new ConsoleRing(_page);
        Guest(output: true).Write("Linux version 6.1\n"u8);
        byte[] text = new byte[100];
        Assert.Equal("Linux version 6.1\n", Encoding.ASCII.GetString(text, 0, console.Read(text)));
        Assert.Equal(0, console.Read(text));
        Assert.Equal(1024, console.Write(new byte[2000]));
        Assert.Equal(0, console.Write(new byte[1]));
        Assert.Equal(1024, Guest(output: false).Read(new byte[2000]));
    }

    [Fact]
    public void A_new_process_goes_on_where_the_last_one_stopped()
    {
        SharedRing guest = Guest(output: true);
        guest.Write("first second"u8);
        new ConsoleRing(_page).Read(new byte[6]);
        byte[] text = new byte[100];
        Assert.Equal("second", Encoding.ASCII.GetString(text, 0, new ConsoleRing(_page).Read(text)));
    }

    [Fact]
    public void A_guest_whose_indices_make_no_sense_loses_its_output_and_can_go_on()
    {
        var console = new ConsoleRing(_page);
        BitConverter.TryWriteBytes(_page.Span[3084..], 0x80000000);
        byte[] text = new byte[5000];
        Assert.Equal(0, console.Read(text));
        Assert.Equal(0x80000000, BitConverter.ToUInt32(_page.Span[3080..]));
        Guest(output: true).Write("again"u8);
        Assert.Equal("again", Encoding.ASCII.GetString(text, 0, console.Read(text)));
        BitConverter.TryWriteBytes(_page.Span[3072..], 77); // in_cons, ahead of in_prod
        Assert.Equal(0, console.Write("x"u8));
        Assert.Equal(1, console.Write("x"u8));
    }
}
