namespace Hypha.NetworkDaemon.Tests;

/// <summary>The network of most tests: a web server, echo servers and a name server in the world.</summary>
[CollectionDefinition]
public sealed class PlainNetwork() : GuestNetwork("--dns", "192.0.2.99", "--dns", "192.0.2.2", "-p", "8080:80", "-p", "9000-9002:7000-7002", "-p", "5300:53/udp"), ICollectionFixture<PlainNetwork>, IAsyncLifetime
{
    async ValueTask IAsyncLifetime.InitializeAsync()
    {
        await InitializeAsync();
        await File.WriteAllTextAsync(Path.Combine(Directory, "nginx.conf"), $$"""
            daemon off; pid {{Directory}}/nginx.pid; error_log /dev/null; worker_processes 1; user root;
            events { worker_connections 8192; }
            http {
              access_log off; client_body_temp_path {{Directory}}/body; client_max_body_size 0;
              server { listen 80 backlog=4096; listen [::]:80; root {{Directory}}; location = / { return 200 "hello from $server_addr\n"; } }
            }
            """);
        await Serve("world", $"exec nginx -e /dev/null -c {Directory}/nginx.conf", 80);
        await Serve("world", "exec socat TCP6-LISTEN:7,fork,reuseaddr,ipv6only=0 EXEC:cat", 7);
        await Serve("world", "exec socat UDP6-LISTEN:7,fork,reuseaddr,ipv6only=0 EXEC:cat", 7, udp: true);
        await Serve("world", $"exec dnsmasq -k -u root --no-resolv --no-hosts --pid-file={Directory}/dns.pid --address=/example.test/192.0.2.2 "
            + "--txt-record=big.test," + string.Join(',', "abcdef".Select(c => new string(c, 250))), 53, udp: true);
    }
}
