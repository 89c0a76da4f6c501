using System.Runtime.InteropServices;

namespace Hypha.Linux.Native;

/// <summary>&lt;linux/loop.h&gt;.</summary>
internal static class LoopIoctl
{
    internal const nuint LOOP_GET_STATUS64 = 0x4C05;
    internal const nuint LOOP_CONFIGURE = 0x4C0A;
    internal const nuint LOOP_CTL_GET_FREE = 0x4C82;

    internal const uint LO_FLAGS_READ_ONLY = 1;
    internal const uint LO_FLAGS_AUTOCLEAR = 4;
    internal const uint LO_FLAGS_DIRECT_IO = 16;

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct loop_info64
    {
        public ulong lo_device, lo_inode, lo_rdevice, lo_offset, lo_sizelimit;
        public uint lo_number, lo_encrypt_type, lo_encrypt_key_size, lo_flags;
        public fixed byte lo_file_name[64];
        public fixed byte lo_crypt_name[64];
        public fixed byte lo_encrypt_key[32];
        public fixed ulong lo_init[2];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct loop_config
    {
        public uint fd, block_size;
        public loop_info64 info;
        public fixed ulong reserved[8];
    }
}
