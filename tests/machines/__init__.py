"""The services of docker/compose.yaml as processes on addresses of their own: no container engine is needed."""
