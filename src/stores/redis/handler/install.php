<?php

namespace PhpSessions;

use function get_cfg_var;

install(new RedisSession((string) get_cfg_var('php_sessions.store')), 'redis', 'redis', 'rediscluster');
