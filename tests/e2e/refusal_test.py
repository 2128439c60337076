"""Arguments and configurations that the program refuses: exit code, key and line."""

import tempfile

from harness import NodeTestCase, main, run_program


# What is wrong with a file, the key that it is about, and its line; rules between keys have no line.
BAD_FILES = [
    ("gatway:\n  path: /ws\n", "gatway", 1),
    ("gateway:\n  pth: /ws\n", "gateway.pth", 2),
    ("gateway: 5\n", "gateway", 1),
    ("gateway:\n  path: /a\n  path: /b\n", "gateway.path", 3),
    ("gateway:\n  path:\n", "gateway.path", 2),
    ("gateway:\n  path: ws\n", "gateway.path", 2),
    ("gateway:\n  listen: 127.0.0.1:80\n", "gateway.listen", 2),
    ("gateway:\n  listen: [localhost]\n", "gateway.listen", 2),
    ("gateway:\n  listen: []\n", "gateway.listen", 2),
    ("gateway:\n  auth_timeout: 10\n", "gateway.auth_timeout", 2),
    ("gateway:\n  auth_timeout: 2h\n", "gateway.auth_timeout", 2),
    ("gateway:\n\n  tls:\n    cert_file: /nowhere.pem\n", "gateway.tls.cert_file", 4),
    ("gateway:\n  message_bytes_max: 1GB\n", "gateway.message_bytes_max", 2),
    ("node:\n  shards: -1\n", "node.shards", 2),
    ("node:\n  server_id: a/b\n", "node.server_id", 2),
    ("control:\n  insecure_control: perhaps\n", "control.insecure_control", 2),
    ("control:\n  client_names: [chat]\n", "control.client_names", 2),
    ("redis:\n  url: http://localhost\n", "redis.url", 2),
    ("redis:\n  hmac_keys: [short]\n", "redis.hmac_keys", 2),
    ("limits:\n  room_rate: often\n", "limits.room_rate", 2),
    ("limits:\n  slow_consumer_policy: keep\n", "limits.slow_consumer_policy", 2),
    ("log:\n  level: loud\n", "log.level", 2),
    ("backend:\n  routes: [chat]\n", "backend.routes", 2),
    ("redis:\n  heartbeat: 4s\n", "redis.lease", None),
    ("limits:\n  payload_bytes_max: 8MiB\n", "limits.payload_bytes_max", None),
    ("drain:\n  window: 40s\n", "drain.deadline", None),
]


class RefusalTest(NodeTestCase):
    async def refused(self, *arguments, **environment):
        code, out, err = await run_program(*arguments, **environment)
        self.assertEqual((code, out), (2, ""), err)
        self.assertEqual(len(err.splitlines()), 1, err)
        return err

    async def test_wrong_configuration_is_one_line_with_the_key_and_exit_code_2(self):
        self.assertIn("gateway.nope", await self.refused("--set", "gateway.nope=1"))
        self.assertIn("node.shards", await self.refused("--set", "node.shards=257"))
        self.assertIn("redis.url", await self.refused(WSROUTER_REDIS_URL="http://localhost"))
        self.assertIn("WSROUTER_NOPE", await self.refused(WSROUTER_NOPE="1"))
        self.assertIn("control.listen", await self.refused("--set", "control.listen=0.0.0.0:0"))
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("gateway:\n  path: /ws\n  nope: 1\n")
            file.flush()
            self.assertIn(f"gateway.nope ({file.name}:3)",
                          await self.refused("--config", file.name))

    async def test_a_bad_file_is_refused_with_its_key_and_line(self):
        for text, key, line in BAD_FILES:
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(text)
                file.flush()
                said = await self.refused("--config", file.name)
            where = f"{key} ({file.name}:{line}): " if line else f"{key}: "
            self.assertIn(where, said, text)

    async def test_wrong_arguments_are_one_line_and_exit_code_2(self):
        self.assertIn("--nope", await self.refused("--nope"))
        self.assertIn("--set", await self.refused("--set"))
        self.assertIn("/nowhere.yaml", await self.refused("--config", "/nowhere.yaml"))

    async def test_help_and_version_are_no_refusals(self):
        code, out, _ = await run_program("--version")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"^wsrouter [0-9]+\.[0-9]+\.[0-9]+\n$")
        code, out, _ = await run_program("--help")
        self.assertEqual(code, 0)
        self.assertIn("--check-config", out)


if __name__ == '__main__':
    main()
