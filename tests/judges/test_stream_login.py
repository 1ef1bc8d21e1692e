"""The login Azure Event Hubs asks for: TLS, and a connection string as the password of `$ConnectionString`."""

import subprocess

import pytest
from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType, ResourcePatternType,
                                   ResourceType)

from kafka_broker import Broker, free_ports
from streams import Service, batch_lake, assert_same, generate

# Of the form Azure gives; it opens nothing but the broker of this test.
CONNECTION = ("Endpoint=sb://hospital.servicebus.windows.net/;SharedAccessKeyName=reader;"
              "SharedAccessKey=bm90IGEga2V5IG9mIGFueXRoaW5n")

SECURE = """
listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{secure},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{secure}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  user_$ConnectionString="{password}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true
"""


def openssl(folder, *arguments):
    subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    """ca.pem, and server.pem: the broker's key and certificate for 127.0.0.1, signed by it."""
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", "/CN=Test CA",
            "-keyout", "ca.key", "-out", "ca.pem")
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "key.pem", "-out",
            "request.pem")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    openssl(folder, "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", 2, "-extfile", "names", "-out", "cert.pem")
    openssl(folder, "pkcs8", "-topk8", "-nocrypt", "-in", "key.pem", "-out", "key8.pem")
    (folder / "server.pem").write_text((folder / "key8.pem").read_text() + (folder / "cert.pem").read_text())


class SecureBroker(Broker):
    """Beside the plain listener, which the tests use, one that wants TLS and a login."""

    def __init__(self, folder):
        super().__init__(folder)
        (self.secure,) = free_ports(1)
        make_certificates(self.folder)
        plain = [line for line in self.config.read_text().splitlines()
                 if not line.startswith(("listeners=", "advertised.listeners=", "listener.security"))]
        self.config.write_text("\n".join(plain) + SECURE.format(
            port=self.port, controller=self.controller, secure=self.secure, folder=self.folder, password=CONNECTION))


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    broker = SecureBroker(tmp_path_factory.mktemp("hub")).start()
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def readings(tmp_path_factory):
    return generate(tmp_path_factory.mktemp("readings"), patients=5, observations=60)[1]


@pytest.fixture
def run(tmp_path, hub, request):
    """A run on the secure listener of a topic of its own, with the login given."""
    topic = hub.create(request.node.name)
    services = []

    def make(password=CONNECTION, ca=True):
        (tmp_path / "secret").write_text(password)
        security = "{connection_string: \"${file:secret}\"" + (f", ca_file: {hub.folder}/ca.pem}}" if ca else "}")
        services.append(Service(tmp_path, hub, topic, source=(
            f'kafka: {{brokers: "127.0.0.1:{hub.secure}", topic: {topic}, preset: eventhubs, security: {security}}}')))
        return services[-1]

    yield make
    for one in services:
        one.end()
    hub.delete(topic)


def test_readings_come_in_over_the_login(run, hub, readings, tmp_path):
    service = run()
    hub.send(service.topic, [(0, line) for line in readings])
    service.run_to_end()
    assert_same(service.lake, batch_lake(tmp_path, readings))
    assert "SharedAccessKey" not in service.text()


def test_a_wrong_password_is_told_and_nothing_is_lost(run, hub, readings, tmp_path):
    service = run(password=CONNECTION + "x")
    hub.send(service.topic, [(0, line) for line in readings])
    service.start()
    service.await_text("uthentication failed")
    assert "security" in service.text()  # where it is set
    assert "SharedAccessKey" not in service.text()
    service.stop()
    right = run()
    right.run_to_end()
    assert_same(right.lake, batch_lake(tmp_path, readings))


def test_a_certificate_nobody_vouches_for_is_told(run, hub):
    service = run(ca=False)
    service.start()
    service.await_text("ca_file")
    service.stop()


def test_a_right_to_read_lost_while_running(run, hub, readings, tmp_path):
    service = run()
    half = len(readings) // 2
    hub.send(service.topic, [(0, line) for line in readings[:half]])
    service.start()
    service.await_all()
    denied = AclBinding(ResourceType.TOPIC, service.topic, ResourcePatternType.LITERAL, "User:$ConnectionString", "*",
                        AclOperation.READ, AclPermissionType.DENY)
    hub.admin.create_acls([denied])[denied].result()
    hub.send(service.topic, [(0, line) for line in readings[half:]])
    service.await_text("uthorization failed")
    gone = AclBindingFilter(ResourceType.TOPIC, service.topic, ResourcePatternType.LITERAL, None, None,
                            AclOperation.ANY, AclPermissionType.ANY)
    hub.admin.delete_acls([gone])[gone].result()
    service.await_all()
    service.stop()
    assert_same(service.lake, batch_lake(tmp_path, readings))
