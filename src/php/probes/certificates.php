<?php
// TLS with the certificates of the question. Joined to the probes that connect, after tls.php.

/** The TLS options for a host; null where several hosts share them. */
function tlsOptionsFor(?string $host): array
{
    return tlsOptions($host, certificateFile('ca'), certificateFile('clientCertificate'));
}

/** A certificate of the question in a file, as PHP wants it. The file is removed when the probe ends. */
function certificateFile(string $name): ?string
{
    static $files = [];
    $text = $GLOBALS['question'][$name] ?? null;
    if ($text !== null && !isset($files[$name])) {
        $files[$name] = tempnam(sys_get_temp_dir(), 'php-sessions');
        file_put_contents($files[$name], $text);
        register_shutdown_function('unlink', $files[$name]);
    }
    return $files[$name] ?? null;
}
