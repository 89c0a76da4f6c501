using static Hypha.Lab.Tests.HyphaHost;

namespace Hypha.Lab.Tests;

/// <summary>A registry that says one thing and sends another: the daemon refuses the image, and keeps nothing of it.</summary>
[Collection<BareHost>]
public sealed class LyingRegistryTests(BareHost host)
{
    private const string Port = "5997";

    // One image, told truthfully: $layer, $config and manifest lie in /tmp/liar, each blob under its digest.
    private const string Image = """
        rm -rf /tmp/liar; mkdir -p /tmp/liar/tree/bin; cd /tmp/liar
        head -c 300000 /dev/urandom >tree/bin/sh
        digest() { sha256sum "$1" | cut -c1-64; }
        pack() { # TAR LAYER: an image of one layer
          layer=$(digest "$2"); cp "$2" "$layer"
          printf '{"architecture":"amd64","os":"linux","config":{"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$(digest "$1")" >config.json
          config=$(digest config.json); cp config.json "$config"
          printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:%s","size":%s}]}' \
            "$config" "$(stat -c %s "$config")" "$layer" "$(stat -c %s "$layer")" >manifest
        }
        tar -C tree -cf tree.tar . && gzip -k tree.tar && pack tree.tar tree.tar.gz
        """;

    // Answers one request: what is asked for, of the length that FILE.length names, else of its own.
    private const string Answer = """
        #!/bin/bash
        read -r _ path _
        while read -r line && [ "$line" != $'\r' ]; do :; done
        case $path in
          */manifests/*) file=/tmp/liar/manifest type=application/vnd.oci.image.manifest.v1+json ;;
          */blobs/*) file=/tmp/liar/${path##*:} type=application/octet-stream ;;
          *) file=/dev/null type=text/plain ;;
        esac
        length=$(cat "$file.length" 2>/dev/null || stat -L -c %s "$file")
        printf 'HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %s\r\nConnection: close\r\n\r\n' "$type" "$length"
        cat "$file"
        """;

    [Theory]
    [InlineData("a changed layer", "printf XXXX | dd of=$layer bs=1 seek=1000 conv=notrunc 2>/dev/null", "digest")]
    [InlineData("a shorter layer", "truncate -s -100 $layer", "announces")]
    [InlineData("a longer layer", "echo more >>$layer", "announces")]
    [InlineData("a layer cut off", "stat -c %s $layer >$layer.length; truncate -s -100 $layer", "cut off")]
    [InlineData("a changed configuration", "sed -i s/amd64/arm64/ $config", "digest")]
    [InlineData("a layer that is no archive", "head -c 9000 /dev/urandom >x; pack x x", "layer")]
    [InlineData("half an archive", "head -c 100000 tree.tar >x; gzip -k x; pack x x.gz", "layer")]
    [InlineData("a layer of another configuration", "echo >x; pack x tree.tar.gz", "layer")]
    [InlineData("an entry that leaves the root", "tar -P --transform s,tree/bin/sh,../../etc/cron.d/x, -cf x tree/bin/sh; gzip -k x; pack x x.gz", "root")]
    [InlineData("no manifest", "echo '<html>' >manifest", "manifest")]
    public async Task Is_refused(string what, string lie, string named)
    {
        string before = (await host.Run(Inventory + Kept)).Succeeded().Output;
        var result = await ServedAsync(lie, $"hyphactl launch --insecure --attach --rm 127.0.0.1:{Port}/{what.Replace(' ', '-')} true");
        result.Exited(125);
        Assert.Contains(named, result.Error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.Equal(before, (await host.Run(Inventory + Kept)).Succeeded().Output);
    }

    [Fact]
    public async Task Another_image_than_the_digest_that_was_asked_for_is_refused()
    {
        var result = await ServedAsync("", $"hyphactl image pull --insecure 127.0.0.1:{Port}/image@sha256:{new string('0', 64)}");
        Assert.NotEqual(0, result.Status);
        Assert.Contains("digest", result.Error, StringComparison.Ordinal);
    }

    /// <summary>The others fail for their lies, and not for how the image is served.</summary>
    [Fact]
    public async Task The_same_image_without_a_lie_is_taken()
    {
        (await ServedAsync("", $"hyphactl image pull --insecure 127.0.0.1:{Port}/image")).Succeeded();
    }

    private const string Kept = "\nfind /var/lib/hypha/images -type f | sort\n";

    private Task<LabResult> ServedAsync(string lie, string command) => host.Run($"""
        {Image}
        {lie}
        cat >answer <<'END'
        {Answer}
        END
        chmod 755 answer
        socat TCP-LISTEN:{Port},fork,reuseaddr EXEC:/tmp/liar/answer 2>/dev/null & server=$!
        for i in $(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/{Port}) 2>/dev/null && break; sleep 0.1; done
        status=0; {command} </dev/null || status=$?
        kill $server; wait $server 2>/dev/null; rm -rf /tmp/liar
        exit $status
        """);
}
