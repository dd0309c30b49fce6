"""What the containers of docker-compose.yml run: `python -m trustui.stack` with the name of a part."""
