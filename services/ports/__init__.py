"""The port's side of the wire: releases from the topics or over HTTP, and may this container leave?"""
