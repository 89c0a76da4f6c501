using Hypha.Squashfs.Native;
using Microsoft.Win32.SafeHandles;

namespace Hypha.Squashfs;

/// <summary>
/// Writes a <see cref="FileTree"/> as one squashfs: zstd, identical contents stored once, blocks compressed on all cores.
/// One thread at a time may use it. Contents can be added before the tree is complete.
/// </summary>
public sealed unsafe class SquashfsWriter : IDisposable
{
    /// <summary>Loop devices with direct I/O want whole pages.</summary>
    public const int Alignment = 4096;

    private const int ChunkSize = 1 << 20;

    private readonly SquashfsOptions _options;
    private readonly SqfsFile _file;
    private readonly SqfsObject _compressor, _decompressor, _blockWriter, _fragments, _processor;
    private readonly NativeSlots _slots = new();
    private readonly Stack<IDisposable> _owned = new();
    private readonly byte[] _chunk = GC.AllocateUninitializedArray<byte>(ChunkSize, pinned: true);
    private sqfs_super_t _super;

    /// <summary>Begins a squashfs in an empty file, which must be readable and writable and stays the caller's.</summary>
    /// <exception cref="SquashfsException">An option is out of range, or the file cannot be written.</exception>
    public SquashfsWriter(SafeFileHandle output, SquashfsOptions options)
    {
        _options = options;
        try
        {
            _file = Own(new SqfsFile(output));
            fixed (sqfs_super_t* super = &_super)
            {
                Check(Sqfs.sqfs_super_init(super, (nuint)options.BlockSize, 0, Sqfs.SQFS_COMP_ZSTD), $"starting a squashfs with blocks of {options.BlockSize} bytes");
                Check(Sqfs.sqfs_super_write(super, _file.Pointer), "writing the superblock");
            }
            _compressor = Own(Compressor(0));
            _decompressor = Own(Compressor(Sqfs.SQFS_COMP_FLAG_UNCOMPRESS));
            int written = ((sqfs_compressor_t*)_compressor.Pointer)->write_options(_compressor.Pointer, _file.Pointer);
            Check(Math.Min(written, 0), "writing the compressor's options");
            if (written > 0)
                _super.flags |= Sqfs.SQFS_FLAG_COMPRESSOR_OPTIONS;

            _blockWriter = Own(SqfsObject.Own(Sqfs.sqfs_block_writer_create(_file.Pointer, Alignment, 0), "block writer"));
            _fragments = Own(SqfsObject.Own(Sqfs.sqfs_frag_table_create(0), "fragment table"));
            _processor = Own(Processor());
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What the squashfs cannot hold and was left out, each kind once.</summary>
    public IReadOnlyCollection<string> Warnings => _warnings;

    private readonly SortedSet<string> _warnings = new(StringComparer.Ordinal);

    /// <summary>Bytes of content taken in so far.</summary>
    public long ContentBytes { get; private set; }

    /// <summary>Compresses and stores a file's content. <see cref="Complete"/> does so for every file that it has not been done for.</summary>
    public void AddContent(FileInode file, CancellationToken cancellation = default)
    {
        if (file.Slot != 0)
            return;
        nint* slot = _slots.Next();
        file.Slot = (nint)slot;
        Check(Sqfs.sqfs_block_processor_begin_file(_processor.Pointer, slot, 0, 0), "beginning a file");
        long length = file.Content.Length;
        for (long offset = 0; offset < length;)
        {
            cancellation.ThrowIfCancellationRequested();
            Span<byte> chunk = _chunk.AsSpan(0, (int)Math.Min(ChunkSize, length - offset));
            file.Content.Read(offset, chunk);
            fixed (byte* p = chunk)
                Check(Sqfs.sqfs_block_processor_append(_processor.Pointer, p, (nuint)chunk.Length), "writing a file's content");
            offset += chunk.Length;
            ContentBytes += chunk.Length;
        }
        Check(Sqfs.sqfs_block_processor_end_file(_processor.Pointer), "ending a file");
    }

    /// <summary>Writes what is missing of the contents, all names and attributes, and the superblock.</summary>
    /// <param name="tree">Belongs to this writer from here on; it cannot be written twice.</param>
    /// <param name="progress">Called now and then with the bytes of content taken in, and those there are in all.</param>
    /// <param name="cancellation">Leaves the file incomplete.</param>
    /// <returns>The file's length, a multiple of <see cref="Alignment"/>.</returns>
    public long Complete(FileTree tree, Action<long, long>? progress = null, CancellationToken cancellation = default)
    {
        var numbering = new InodeNumbering(tree);
        long reported = 0, total = numbering.Files.Sum(f => f.Content.Length);
        foreach (FileInode file in numbering.Files)
        {
            AddContent(file, cancellation);
            if (progress is not null && ContentBytes - reported >= ChunkSize)
                progress(reported = ContentBytes, total);
        }
        Check(Sqfs.sqfs_block_processor_finish(_processor.Pointer), "writing the last blocks");
        progress?.Invoke(ContentBytes, total);

        using SqfsObject ids = SqfsObject.Own(Sqfs.sqfs_id_table_create(0), "table of owners");
        using SqfsObject xattrs = SqfsObject.Own(Sqfs.sqfs_xattr_writer_create(0), "table of extended attributes");
        fixed (sqfs_super_t* super = &_super)
        {
            // super.h gives the order of the tables: inodes, directories, fragments, owners, extended attributes.
            super->inode_table_start = (ulong)_file.Length;
            using SqfsObject inodes = SqfsObject.Own(Sqfs.sqfs_meta_writer_create(_file.Pointer, _compressor.Pointer, 0), "inode table");
            using SqfsObject directories = SqfsObject.Own(
                Sqfs.sqfs_meta_writer_create(_file.Pointer, _compressor.Pointer, Sqfs.SQFS_META_WRITER_KEEP_IN_MEMORY), "directory table");
            using (var table = new InodeTable(inodes, directories, ids, xattrs, Check, text => _warnings.Add(text)))
                super->root_inode_ref = table.Write(numbering, cancellation);
            Check(Sqfs.sqfs_meta_writer_flush(inodes.Pointer), "writing the inode table");
            Check(Sqfs.sqfs_meta_writer_flush(directories.Pointer), "writing the directory table");
            super->directory_table_start = (ulong)_file.Length;
            Check(Sqfs.sqfs_meta_write_write_to_file(directories.Pointer), "writing the directory table");
            super->inode_count = numbering.Count;

            if (Sqfs.sqfs_frag_table_get_size(_fragments.Pointer) == 0)
                super->flags |= Sqfs.SQFS_FLAG_NO_FRAGMENTS;
            else
            {
                super->flags |= Sqfs.SQFS_FLAG_ALWAYS_FRAGMENTS;
                Check(Sqfs.sqfs_frag_table_write(_fragments.Pointer, _file.Pointer, super, _compressor.Pointer), "writing the fragment table");
            }
            Check(Sqfs.sqfs_id_table_write(ids.Pointer, _file.Pointer, super, _compressor.Pointer), "writing the table of owners");
            Check(Sqfs.sqfs_xattr_writer_flush(xattrs.Pointer, _file.Pointer, super, _compressor.Pointer), "writing the extended attributes");

            super->bytes_used = (ulong)_file.Length;
            Check(Sqfs.sqfs_super_write(super, _file.Pointer), "writing the superblock");
        }
        long padded = (_file.Length + Alignment - 1) / Alignment * Alignment;
        _file.Extend(padded);
        return padded;
    }

    public void Dispose()
    {
        // Users before what they use: the processor's threads end first.
        while (_owned.TryPop(out IDisposable? owned))
            owned.Dispose();
        _slots.Dispose();
    }

    private T Own<T>(T owned) where T : IDisposable
    {
        _owned.Push(owned);
        return owned;
    }

    private SqfsObject Compressor(ushort flags)
    {
        sqfs_compressor_config_t config;
        Check(Sqfs.sqfs_compressor_config_init(&config, Sqfs.SQFS_COMP_ZSTD, (nuint)_options.BlockSize, flags), "choosing zstd");
        config.level = (uint)_options.CompressionLevel;
        Check(Sqfs.sqfs_compressor_create(&config, out nint compressor), $"choosing zstd at level {_options.CompressionLevel}");
        return SqfsObject.Own(compressor, "compressor");
    }

    private SqfsObject Processor()
    {
        uint workers = (uint)(_options.Workers > 0 ? _options.Workers : Environment.ProcessorCount);
        var description = new sqfs_block_processor_desc_t
        {
            size = (uint)sizeof(sqfs_block_processor_desc_t),
            max_block_size = (uint)_options.BlockSize,
            num_workers = workers,
            max_backlog = workers * 10, // blocks in flight: some for each worker, and not much memory
            cmp = _compressor.Pointer,
            wr = _blockWriter.Pointer,
            tbl = _fragments.Pointer,
            // With these, fragments of equal hash are compared before one stands for both.
            file = _file.Pointer,
            uncmp = _decompressor.Pointer,
        };
        Check(Sqfs.sqfs_block_processor_create_ex(&description, out nint processor), $"starting {workers} compressing threads");
        return SqfsObject.Own(processor, "block processor");
    }

    private void Check(int result, string what)
    {
        if (result >= 0)
            return;
        if (_file?.Failure is { } failure)
            throw new SquashfsException($"{what}: {failure.Message}", failure);
        throw new SquashfsException($"{what}: {SqfsError.Text(result)}");
    }
}
