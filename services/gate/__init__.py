"""The gate desk: may this container leave the port?"""
