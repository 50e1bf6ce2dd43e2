import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type ServerProcess, startServer } from '../processes/server.ts'

export interface NginxOptions {
  /** Ports of the php-fpm that it asks in turn; each answer names the instance in `X-Served-By`. */
  readonly backends: readonly number[]
  /** The app's only entry, unless `params` say otherwise: every request is for this script. */
  readonly script: string
  /** Further parameters of each request; nginx replaces its variables in them. */
  readonly params?: Readonly<Record<string, string>>
}

/** Starts an nginx that forwards the requests for one app to php-fpm and stores nothing. */
export function startNginx(options: NginxOptions): Promise<ServerProcess> {
  return startServer({
    name: 'nginx',
    ports: 1,
    command: ({ directory, ports: [port = 0] }) => {
      const file = join(directory, 'nginx.conf')
      writeFileSync(file, configuration(options, directory, port))
      const env = { PATH: `${process.env.PATH}:/usr/sbin` }
      return { file: 'nginx', args: [...earlyLog(env), '-p', directory, '-c', file], env }
    },
  })
}

/** Where errors go until the configuration is read. Before 1.19.5, as Ubuntu 22.04 has it, that cannot be said. */
function earlyLog(env: NodeJS.ProcessEnv): readonly string[] {
  const { stderr } = spawnSync('nginx', ['-h'], { env, encoding: 'utf8' })
  return stderr.includes('-e filename') ? ['-e', 'stderr'] : []
}

function configuration({ backends, script, params = {} }: NginxOptions, directory: string, port: number) {
  const root = dirname(script)
  const all = {
    SCRIPT_FILENAME: script,
    SCRIPT_NAME: script.slice(root.length),
    DOCUMENT_ROOT: root,
    QUERY_STRING: '$query_string',
    REQUEST_METHOD: '$request_method',
    REQUEST_URI: '$request_uri',
    CONTENT_TYPE: '$content_type',
    CONTENT_LENGTH: '$content_length',
    SERVER_PROTOCOL: '$server_protocol',
    SERVER_NAME: '127.0.0.1',
    SERVER_PORT: '$server_port',
    REMOTE_ADDR: '$remote_addr',
    ...params,
  }
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  // One process does everything, also as root; so it asks the backends strictly in turn.
  return `
    daemon off;
    master_process off;
    pid ${directory}/pid;
    error_log stderr notice;
    events {}
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${directory}/${name};`).join('\n')}
      map $upstream_addr $instance {
        ${backends.map((backend, index) => `127.0.0.1:${backend} ${index};`).join('\n')}
      }
      upstream app { ${backends.map((backend) => `server 127.0.0.1:${backend};`).join(' ')} }
      server {
        listen 127.0.0.1:${port};
        add_header X-Served-By $instance always;
        fastcgi_next_upstream off;
        location / {
          fastcgi_pass app;
          fastcgi_split_path_info "^(.+?\\.php)(/.*)$";
          ${Object.entries(all)
            .map(([name, value]) => `fastcgi_param ${name} "${value}";`)
            .join('\n')}
        }
      }
    }`
}
