<?php
// TLS with the certificates of the question. Joined to the probes that connect, after tls.php.

/** The TLS options for a host; null where several hosts share them. */
function tlsOptionsFor(?string $host): array
{
    return tlsOptions($host, certificateFile('ca'), certificateFile('clientCertificate'));
}

/** A certificate of the question in a file, as PHP wants it. The directory is removed by who asks, even where PHP is killed. */
function certificateFile(string $name): ?string
{
    static $files = [];
    $text = $GLOBALS['question'][$name] ?? null;
    if ($text !== null && !isset($files[$name])) {
        $files[$name] = "{$GLOBALS['question']['directory']}/$name.pem";
        file_put_contents($files[$name], $text);
    }
    return $files[$name] ?? null;
}
