"""A simulated day at the border. What happens on it depends on a seed. The simulated declarants, carriers, officers,
treatment yards and terminals act only through the topics."""
