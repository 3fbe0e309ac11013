-- Three organizations with their teams, products and chatbots. Safe to run again.
INSERT INTO chatbot.organizations (id, name, plan) VALUES
    ('org_alder',       'Alder & Oak Furniture', 'business'),
    ('org_brightwater', 'Brightwater Clinics',   'enterprise'),
    ('org_corvid',      'Corvid Hosting',        'team')
ON CONFLICT DO NOTHING;

INSERT INTO chatbot.users (id, email, name, is_staff) VALUES
    ('user_ada',   'ada@alder-oak.example',       'Ada Lindqvist',  false),
    ('user_ben',   'ben@alder-oak.example',       'Ben Okafor',     false),
    ('user_chloe', 'chloe@brightwater.example',   'Chloe Marchand', false),
    ('user_dev',   'dev@brightwater.example',     'Dev Narayan',    false),
    ('user_eva',   'eva@corvid.example',          'Eva Horvath',    false),
    ('user_finn',  'finn@corvid.example',         'Finn Aalto',     false),
    ('user_sam',   'sam@platform.example',        'Sam Ferreira',   true)
ON CONFLICT DO NOTHING;

-- Ben is a plain member, Dev reads the figures, Finn helps out at two organizations, Sam is platform staff and on no team.
INSERT INTO chatbot.team_members (organization_id, user_id, role) VALUES
    ('org_alder',       'user_ada',   'admin'),
    ('org_alder',       'user_ben',   'member'),
    ('org_brightwater', 'user_chloe', 'admin'),
    ('org_brightwater', 'user_dev',   'analyst'),
    ('org_corvid',      'user_eva',   'admin'),
    ('org_corvid',      'user_finn',  'member'),
    ('org_alder',       'user_finn',  'analyst')
ON CONFLICT DO NOTHING;

INSERT INTO chatbot.products (id, organization_id, name) VALUES
    ('prod_sofas',     'org_alder',       'Sofas and armchairs'),
    ('prod_kitchens',  'org_alder',       'Fitted kitchens'),
    ('prod_booking',   'org_brightwater', 'Appointments'),
    ('prod_insurance', 'org_brightwater', 'Insurance and billing'),
    ('prod_vps',       'org_corvid',      'Virtual servers'),
    ('prod_dns',       'org_corvid',      'Domains and DNS')
ON CONFLICT DO NOTHING;

INSERT INTO chatbot.chatbot_instances (id, organization_id, product_id, name, model) VALUES
    ('bot_showroom',  'org_alder',       'prod_sofas',     'Showroom assistant', 'claude-haiku'),
    ('bot_kitchen',   'org_alder',       'prod_kitchens',  'Kitchen planner',    'claude-sonnet'),
    ('bot_reception', 'org_brightwater', 'prod_booking',   'Front desk',         'claude-sonnet'),
    ('bot_billing',   'org_brightwater', 'prod_insurance', 'Billing helper',     'claude-haiku'),
    ('bot_support',   'org_corvid',      'prod_vps',       'Support engineer',   'claude-sonnet')
ON CONFLICT DO NOTHING;
