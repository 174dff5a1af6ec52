"""The services of docker/compose.yaml as processes on separate addresses, without a container engine."""
