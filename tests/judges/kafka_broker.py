"""A Kafka broker of one node on loopback, and what tests send to it."""

import json
import pathlib
import socket
import subprocess
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from product import ROOT

JARS = ROOT / ".deps/kafka"

PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/logs
num.partitions=1
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.retention.ms=-1
message.max.bytes=20000000
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
"""


def free_ports(count):
    """Ports that nothing listens on. They may be taken by the time they are used; a broker tells."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Broker:
    """Started by `start`; may be stopped and started again on the same port with the same data."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port, self.controller = free_ports(2)
        self.process = None
        self.address = f"127.0.0.1:{self.port}"
        self.admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        self.config = self.folder / "server.properties"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(PROPERTIES.format(port=self.port, controller=self.controller, folder=self.folder))
        self._java("kafka.tools.StorageTool", "format", "-t", "vitalakevitalakevitala", "-c", self.config, wait=True)

    def _java(self, main, *arguments, wait=False):
        out = open(self.folder / f"{main}.log", "ab")
        command = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}/*", main,
                   *map(str, arguments)]
        if wait:
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=True, timeout=60)
            return None
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def start(self):
        self.process = self._java("kafka.Kafka", self.config)
        deadline = time.monotonic() + 60
        while True:
            assert self.process.poll() is None, (self.folder / "kafka.Kafka.log").read_text()[-4000:]
            try:
                self.admin.list_topics(timeout=2)
                return self
            except KafkaException:
                assert time.monotonic() < deadline, "the broker does not answer"

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=60)
            self.process = None

    def create(self, topic, partitions=1, settings=None):
        """Makes the topic, waiting for an earlier one of that name to be gone."""
        deadline = time.monotonic() + 30
        while True:
            try:
                self.admin.create_topics([NewTopic(topic, partitions, 1, config=settings or {})])[topic].result()
                break
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        while len(self.admin.list_topics(topic, timeout=5).topics[topic].partitions) != partitions:
            assert time.monotonic() < deadline
        return topic

    def delete(self, topic):
        self.admin.delete_topics([topic])[topic].result()

    def forget(self, topic, partition, before):
        """Removes the messages before an offset, as retention does."""
        place = TopicPartition(topic, partition, before)
        self.admin.delete_records([place])[place].result()

    def send(self, topic, messages):
        """Sends (partition, payload) or (partition, payload, key), in order; an object goes as JSON."""
        producer = Producer({"bootstrap.servers": self.address, "linger.ms": 5, "acks": "all",
                             "message.max.bytes": 20000000, "enable.idempotence": True})
        failed = []

        def delivered(error, _):
            if error:
                failed.append(error)

        for partition, payload, *key in messages:
            if payload is not None and not isinstance(payload, (bytes, str)):
                payload = json.dumps(payload)
            while True:
                try:
                    producer.produce(topic, payload, key[0] if key else None, partition=partition,
                                     on_delivery=delivered)
                    break
                except BufferError:
                    producer.poll(0.05)
            producer.poll(0)
        assert producer.flush(60) == 0
        assert not failed, failed[0]

    def end_offsets(self, topic):
        """Next offset by partition."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": "judge"})
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        ends = {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in partitions}
        consumer.close()
        return ends
